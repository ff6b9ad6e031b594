package dev.stator.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.device.simulated.SimulatedDevice;
import dev.stator.protocol.WorkerRole;
import dev.stator.request.GenerationCall;
import dev.stator.request.GenerationEvent;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.testkit.typed.javadsl.LogCapturingExtension;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(LogCapturingExtension.class)
class LocalNodeTest {
  private TestNode node;

  @AfterEach
  void shutDown() {
    if (node != null) node.close();
  }

  @Test
  void shouldAnswerAsTheEngineAloneWhenAggregated() throws Exception {
    node = TestNode.aggregated("");
    node.awaitReady();
    for (int seed = 0; seed < 5; seed++) {
      final GenerationCall call = TestNode.call("call-" + seed, seed, 3 + 17 * seed, 20);
      assertEquals(TestNode.alone(call), node.answer(call));
    }
    node.awaitEmpty();
  }

  @Test
  void shouldAnswerAsTheEngineAloneWhenDisaggregated() throws Exception {
    node = TestNode.disaggregated("", null);
    node.awaitReady();
    for (int seed = 0; seed < 5; seed++) {
      final GenerationCall call = TestNode.call("call-" + seed, seed, 3 + 17 * seed, 20);
      assertEquals(TestNode.alone(call), node.answer(call));
    }
    assertTrue(node.node.stats().router().placedRemote() >= 4, node.figures());
    assertTrue(node.node.stats().transfer().receivedBytes() > 0, node.figures());
    node.awaitEmpty();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldAnswerTheSameWhenTheDevicesBlocksAreOutOfTheCpusReach(boolean reachEachOther)
      throws Exception {
    final var counts = new DistantDevice.Counts();
    node =
        TestNode.start(
            "",
            null,
            distant("prefill", WorkerRole.PREFILL, counts, reachEachOther),
            distant("decode", WorkerRole.DECODE, counts, reachEachOther));
    node.awaitReady();
    final Map<GenerationCall, CompletableFuture<List<GenerationEvent>>> calls =
        new LinkedHashMap<>();
    for (int seed = 0; seed < 8; seed++) {
      final GenerationCall call = TestNode.call("call-" + seed, seed, 30 + 7 * seed, 20);
      calls.put(call, node.start(call));
    }
    for (var entry : calls.entrySet()) {
      final var events = entry.getValue().get(20, TimeUnit.SECONDS);
      assertEquals(TestNode.alone(entry.getKey()), TestNode.Answer.of(events, 0));
    }
    final long received = node.node.stats().transfer().receivedBytes();
    assertTrue(received > 0, node.figures());
    assertEquals(!reachEachOther, counts.copied.get() > 0, node.figures());
    assertEquals(reachEachOther, counts.moved.get() > 0, node.figures());
    node.awaitEmpty();
  }

  private static EngineSlot distant(
      String name, WorkerRole role, DistantDevice.Counts counts, boolean reachEachOther) {
    return new EngineSlot(
        name,
        Set.of(role),
        () ->
            TestNode.engineOn(
                new DistantDevice(
                    new SimulatedDevice(
                        TestNode.BLOCKS,
                        TestNode.BLOCK_SIZE,
                        TestNode.VOCABULARY,
                        TestNode.CONTEXT),
                    counts,
                    reachEachOther)));
  }
}
