package dev.stator.cluster;

import static dev.stator.cluster.TestNode.alone;
import static dev.stator.cluster.TestNode.call;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.cluster.TestNode.Answer;
import dev.stator.protocol.WorkerCommand;
import dev.stator.protocol.WorkerCommand.RolesTaken;
import dev.stator.protocol.WorkerRole;
import dev.stator.request.GenerationCall;
import dev.stator.request.GenerationEvent;
import dev.stator.worker.WorkerStats;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.testkit.typed.javadsl.LogCapturingExtension;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Slots that move between prefill and decode while calls run. */
@ExtendWith(LogCapturingExtension.class)
class NodeRoleTest {
  static final Set<WorkerRole> PREFILL = Set.of(WorkerRole.PREFILL);
  static final Set<WorkerRole> DECODE = Set.of(WorkerRole.DECODE);

  private final ControlledDevice.Control control = new ControlledDevice.Control();
  private TestNode node;

  @AfterEach
  void shutDown() {
    control.allowAll();
    if (node != null) node.close();
  }

  @Test
  void shouldFinishItsAnswersThenPrefillForOthersWhenADecodeSlotMoves() throws Exception {
    node =
        TestNode.start(
            "",
            null,
            TestNode.controlled("moving", DECODE, control),
            TestNode.slot("staying", PREFILL, TestNode.BLOCKS));
    node.awaitReady();
    final TestProbe<RolesTaken> moved = node.testKit.createTestProbe();
    final GenerationCall first = call("first", 1, 6, 20);
    final var running = node.start(first);
    node.awaitTrue("not running", () -> slot("moving").load().waitingSequences() == 1);
    final ActorRef<WorkerCommand> moving = Adapter.toTyped(node.actor("worker-0"));
    final ActorRef<WorkerCommand> staying = Adapter.toTyped(node.actor("worker-1"));
    staying.tell(new WorkerCommand.TakeRoles(DECODE, moved.ref()));
    moved.receiveMessage();
    moving.tell(new WorkerCommand.TakeRoles(PREFILL, moved.ref()));
    moved.expectNoMessage(Duration.ofMillis(50));
    assertEquals(PREFILL, slot("moving").roles());
    control.allowAll();
    assertEquals(PREFILL, moved.receiveMessage().roles());
    assertEquals(alone(first), Answer.of(running.get(15, TimeUnit.SECONDS), 0));
    final GenerationCall second = call("second", 2, 80, 10);
    assertEquals(alone(second), node.answer(second));
    assertEquals(1, slot("staying").remotePrefills(), node.figures());
    assertEquals(0, slot("staying").remotePrefillFallbacks(), node.figures());
    node.awaitEmpty();
  }

  @Test
  void shouldMoveASlotByItselfWhenPromptsQueueUp() throws Exception {
    node =
        TestNode.start(
            """
            stator.worker.remote-prefill-timeout = 15s
            stator.planner.interval = 20ms
            stator.planner.report-interval = 20ms
            stator.planner.prefill-queue-tokens-high = 100
            stator.planner.prefill-queue-tokens-low = 10
            """,
            null,
            TestNode.controlled("prefill", PREFILL, control),
            TestNode.slot("decode-a", DECODE, TestNode.BLOCKS),
            TestNode.slot("decode-b", DECODE, TestNode.BLOCKS));
    node.awaitReady();
    final List<GenerationCall> calls = new ArrayList<>();
    final List<CompletableFuture<List<GenerationEvent>>> running = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      calls.add(call("call-" + i, i, 60, 5));
      running.add(node.start(calls.get(i)));
    }
    node.awaitTrue("nothing queues up", () -> slot("prefill").load().waitingTokens() > 0);
    control.allow(1); // The step that waited; the next one sees all prompts.
    node.awaitTrue(
        "no slot has moved",
        () ->
            node.node.stats().workers().stream()
                    .filter(worker -> worker.roles().equals(PREFILL))
                    .count()
                == 2);
    control.allowAll();
    for (int i = 0; i < 3; i++) {
      assertEquals(alone(calls.get(i)), Answer.of(running.get(i).get(15, TimeUnit.SECONDS), 0));
    }
    assertTrue(node.node.stats().router().placedRemote() == 3, node.figures());
    node.awaitEmpty();
  }

  private WorkerStats slot(String name) {
    return node.node.stats().workers().stream()
        .filter(worker -> worker.id().slot().equals(name))
        .findFirst()
        .orElseThrow();
  }
}
