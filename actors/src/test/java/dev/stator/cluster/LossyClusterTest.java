package dev.stator.cluster;

import static dev.stator.cluster.TestNode.alone;
import static dev.stator.cluster.TestNode.call;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.cluster.TestNode.Answer;
import dev.stator.request.GenerationCall;
import dev.stator.request.GenerationEvent;
import dev.stator.transport.FaultyBackend;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever gets lost, comes twice or dies: the bytes of the quiet run, and nothing left behind. */
class LossyClusterTest {
  private static final LossyNetwork.Faults FAULTS =
      new LossyNetwork.Faults(0.03, 0.03, 0.05, Duration.ofMillis(30));
  private static final FaultyBackend.Faults TRANSFER_FAULTS =
      new FaultyBackend.Faults(0.02, 0.05, 0.02, 0.01, 0.01);
  private static final int WAVES = 3;
  private static final int CALLS = 24;

  private record Running(GenerationCall call, CompletableFuture<List<GenerationEvent>> events) {}

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void shouldAnswerAsTheQuietRun(long seed) throws Exception {
    final Random random = new Random(seed);
    try (LossyCluster cluster = new LossyCluster(seed, FAULTS, TRANSFER_FAULTS)) {
      int answered = 0;
      for (int wave = 0; wave < WAVES; wave++) answered += runWave(cluster, random, wave);
      cluster.quiet();
      cluster.awaitEmpty();
      assertTrue(answered > WAVES * CALLS / 2, answered + " answers");
      assertTrue(cluster.network.faultCount() > 100, cluster.figures());
      assertTrue(cluster.backend.faultCount() > 0, cluster.figures());
      assertTrue(cluster.moves() > 0, cluster.figures());
    }
  }

  /** Some prompts come again, some readers leave early, ids are used at both nodes at once. */
  private static int runWave(LossyCluster cluster, Random random, int wave) throws Exception {
    final List<Running> whole = new ArrayList<>();
    for (int i = 0; i < CALLS; i++) {
      final int seed = random.nextInt(12);
      final String id = "call-" + wave + "-" + i / 2;
      final GenerationCall call = call(id, seed, 10 + 8 * seed, 20 + random.nextInt(100));
      final boolean leaves = random.nextInt(5) == 0;
      final int eventsMax = leaves ? random.nextInt(8) : Integer.MAX_VALUE;
      final var events = cluster.start(i % 2, call, eventsMax);
      if (!leaves) whole.add(new Running(call, events));
    }
    for (Running running : whole) {
      final List<GenerationEvent> events = running.events().get(90, TimeUnit.SECONDS);
      assertEquals(alone(running.call()), Answer.of(events, 0), cluster::figures);
    }
    return whole.size();
  }
}
