package dev.stator.cluster;

import static dev.stator.cluster.TestNode.alone;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.protocol.WorkerRole;
import dev.stator.request.GenerationCall;
import dev.stator.request.GenerationEvent;
import dev.stator.transport.FaultyBackend;
import dev.stator.transport.TransferBackend;
import dev.stator.worker.WorkerStats;
import java.util.Random;
import java.util.Set;
import org.apache.pekko.actor.testkit.typed.javadsl.LogCapturingExtension;
import org.apache.pekko.stream.javadsl.SinkQueueWithCancel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A client leaves while its prompt is computed elsewhere: both ends let go of everything. */
@ExtendWith(LogCapturingExtension.class)
class ClientLeavesTest {
  private static final int PROMPT = 60; // Seven chunks of eight tokens, fourteen blocks.
  private static final int CHUNKS = 6; // With all seven the sequence goes on.

  private final ControlledDevice.Control prefilling = new ControlledDevice.Control();
  private final ControlledDevice.Control decoding = new ControlledDevice.Control();
  private TestNode node;

  @AfterEach
  void shutDown() {
    prefilling.allowAll();
    decoding.allowAll();
    if (node != null) node.close();
  }

  @Test
  void shouldFreeEverythingWhenTheClientLeavesAtAnyChunk() throws Exception {
    start("", null);
    for (int chunks = 0; chunks <= CHUNKS; chunks++) {
      final SinkQueueWithCancel<GenerationEvent> reader = node.read(call("c" + chunks, chunks));
      node.awaitTrue("no grant", () -> node.node.stats().transfer().openGrants() == 1);
      final long before = worker("prefill").load().steps();
      prefilling.allow(chunks);
      final long after = before + chunks;
      node.awaitTrue("not computed", () -> worker("prefill").load().steps() >= after);
      reader.cancel();
      node.awaitTrue("no end", () -> node.node.stats().sessions().active() == 0);
      prefilling.allowAll();
      decoding.allowAll();
      node.awaitEmpty();
      prefilling.takeBack();
      decoding.takeBack();
    }
    assertGoesOn();
  }

  @Test
  void shouldFreeEverythingWhenTheClientLeavesWhileBlocksAreOnTheirWay() throws Exception {
    start(
        "stator.transport.write-timeout = 400ms",
        new FaultyBackend(new FaultyBackend.Faults(1, 0, 0, 0, 0), new Random(1)));
    prefilling.allowAll();
    final SinkQueueWithCancel<GenerationEvent> reader = node.read(call("lost", 1));
    node.awaitTrue("nothing leaves", () -> node.node.stats().transfer().blocksInFlight() > 0);
    reader.cancel();
    node.awaitEmpty();
  }

  @Test
  void shouldFreeEverythingWhenTheClientLeavesAfterThePrefill() throws Exception {
    start("", null);
    prefilling.allowAll();
    final SinkQueueWithCancel<GenerationEvent> reader = node.read(call("decoded", 1));
    node.awaitTrue("not resumed", () -> worker("decode").load().runningSequences() == 1);
    reader.cancel();
    node.awaitTrue("no end", () -> node.node.stats().sessions().active() == 0);
    decoding.allowAll();
    node.awaitEmpty();
    assertGoesOn();
  }

  private void start(String overrides, TransferBackend backend) throws Exception {
    node =
        TestNode.start(
            "stator.worker.remote-prefill-timeout = 10s\n" + overrides,
            backend,
            TestNode.controlled("prefill", Set.of(WorkerRole.PREFILL), prefilling),
            TestNode.controlled("decode", Set.of(WorkerRole.DECODE), decoding));
    node.awaitReady();
  }

  private void assertGoesOn() {
    prefilling.allowAll();
    decoding.allowAll();
    final GenerationCall call = call("next", 77);
    assertEquals(alone(call), node.answer(call));
    assertTrue(worker("decode").remotePrefills() > 0, node.figures());
    node.awaitEmpty();
  }

  private static GenerationCall call(String id, int seed) {
    return TestNode.call(id, seed, PROMPT, 20);
  }

  private WorkerStats worker(String slot) {
    return node.node.stats().workers().stream()
        .filter(stats -> stats.id().slot().equals(slot))
        .findFirst()
        .orElseThrow();
  }
}
