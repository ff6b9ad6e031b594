package dev.stator.cluster;

import static dev.stator.cluster.TestNode.BLOCKS;
import static dev.stator.cluster.TestNode.BLOCK_SIZE;
import static dev.stator.cluster.TestNode.alone;
import static dev.stator.cluster.TestNode.call;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.cluster.TestNode.Answer;
import dev.stator.protocol.WorkerRole;
import dev.stator.request.GenerationCall;
import dev.stator.request.GenerationEvent;
import dev.stator.worker.WorkerStats;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.pekko.actor.testkit.typed.javadsl.LogCapturingExtension;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Blocks that another worker has cached are not computed again. */
@ExtendWith(LogCapturingExtension.class)
class PullTest {
  private static final int PROMPT = 100;
  private static final Set<WorkerRole> DECODE = Set.of(WorkerRole.DECODE);

  private final ControlledDevice.Control control = new ControlledDevice.Control();
  private TestNode node;

  @AfterEach
  void shutDown() {
    control.allowAll();
    if (node != null) node.close();
  }

  @Test
  void shouldPullThePromptFromThePrefillWorkerWhenTheDecodeWorkerDies() throws Exception {
    node =
        TestNode.start(
            """
            stator.router.remote-prefill-min-tokens = 64
            stator.node.restart-delay-min = 20s
            """,
            null,
            TestNode.slot("prefill", Set.of(WorkerRole.PREFILL), BLOCKS),
            TestNode.controlled("decode-1", DECODE, control),
            TestNode.controlled("decode-2", DECODE, control));
    node.awaitReady();
    final GenerationCall call = call("pulled", 5, PROMPT, 40);
    final var reader = node.read(call);
    control.allow(3);
    final List<GenerationEvent> events = new ArrayList<>(List.of(TestNode.next(reader)));
    node.awaitTrue("not stuck", () -> worker("prefill").load().cachedBlocks() > 0);
    final boolean isFirst = worker("decode-1").load().runningSequences() == 1;
    final String victim = isFirst ? "worker-1" : "worker-2";
    final org.apache.pekko.actor.ActorRef decode = node.actor(victim + "/decode");
    node.kill(victim);
    node.awaitTerminated(decode);
    control.allowAll();
    events.addAll(TestNode.rest(reader));
    assertEquals(alone(call), Answer.of(events, 0));
    assertEquals(1, node.node.stats().router().placedPull(), node.figures());
    final WorkerStats heir = worker(isFirst ? "decode-2" : "decode-1");
    assertTrue(heir.load().computedTokens() < PROMPT / 2, node.figures());
    assertEquals(0, heir.remotePrefillFallbacks());
    node.awaitEmpty();
  }

  @Test
  void shouldPullBetweenDecodeWorkersWhenTheOneThatHasThePromptIsBusy() throws Exception {
    node =
        TestNode.start(
            """
            stator.router.remote-prefill-min-tokens = 1000
            stator.router.decode-weight = 100
            """,
            null,
            TestNode.controlled("decode-1", DECODE, control),
            TestNode.controlled("decode-2", DECODE, control));
    node.awaitReady();
    control.allowAll();
    final GenerationCall first = call("first", 6, PROMPT, 8);
    assertEquals(alone(first), node.answer(first));
    node.awaitEmpty();
    node.awaitTrue("not indexed", () -> node.node.stats().router().indexedBlocks() > PROMPT / 8);
    control.takeBack();
    final var left = node.read(call("left", 6, PROMPT, 100)); // Where the prompt is.
    node.awaitTrue("not placed", () -> node.node.stats().router().inFlight() == 1);
    final GenerationCall third = call("third", 6, PROMPT, 20);
    final var running = node.start(third);
    node.awaitTrue("no pull", () -> node.node.stats().router().placedPull() == 1);
    control.allowAll();
    assertEquals(alone(third), Answer.of(running.join(), 0));
    final long received =
        node.node.stats().workers().stream().mapToLong(WorkerStats::transferReceivedBytes).sum();
    assertTrue(received >= (PROMPT / BLOCK_SIZE - 1) * 32, node.figures());
    left.cancel();
    node.awaitEmpty();
  }

  private WorkerStats worker(String slot) {
    return node.node.stats().workers().stream()
        .filter(stats -> stats.id().slot().equals(slot))
        .findFirst()
        .orElseThrow();
  }
}
