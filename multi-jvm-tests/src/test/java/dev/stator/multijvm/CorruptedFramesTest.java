package dev.stator.multijvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.multijvm.harness.ClusterLook;
import dev.stator.multijvm.harness.Load;
import dev.stator.multijvm.harness.ProcessLook;
import dev.stator.multijvm.harness.Question;
import dev.stator.multijvm.harness.Stage;
import dev.stator.multijvm.harness.Staged;
import dev.stator.multijvm.harness.TestCluster;
import dev.stator.multijvm.harness.TestNetwork;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/**
 * Blocks are damaged on their way, and strangers send garbage to every port of the workers: answers
 * are as ever, what was wrong is counted, and none of it stays in memory.
 */
@Staged
@Order(Stage.OWN_CLUSTER)
class CorruptedFramesTest {
  private static final int DAMAGED_NTH = 100; // Of the datagrams; a block is some fifty.
  private static final int GARBAGE_ROUNDS = 3000;
  private static final long GARBAGE_SEED = 1;
  private static final long HEAP_GROWTH_MAX = 16L << 20; // 6 MB are sent to each port.
  private static final List<String> WORKERS = List.of("prefill-1", "decode-1");
  private static final List<Question> WARM_UP = Question.longStories(1100, 12, 150, 64);
  private static final List<Question> QUESTIONS = Question.longStories(1120, 16, 150, 96);

  @Test
  void shouldAnswerWhenFramesAreDamagedAndStrangersSendGarbage(Stage stage) throws Exception {
    try (TestNetwork network = TestNetwork.orSkip(3)) {
      final var quietWarmUp = stage.quiet(WARM_UP);
      final var quiet = stage.quiet(QUESTIONS);
      try (TestCluster cluster =
          stage
              .ownClusterOn(network)
              .with("frontend", "frontend-1")
              .with("prefill", "prefill-1")
              .with("decode", "decode-1")
              .start()) {
        try (Load load = Load.start(cluster.address("frontend-1"), WARM_UP)) {
          assertEquals(quietWarmUp, load.bytes(), cluster::toString);
        }
        final Map<String, ProcessLook> before = new HashMap<>();
        for (String worker : WORKERS) before.put(worker, cluster.node(worker).look());
        network.corruptUdp(cluster.host("decode-1"), DAMAGED_NTH);
        try (Load load = Load.start(cluster.address("frontend-1"), QUESTIONS);
            Garbage garbage = new Garbage(GARBAGE_SEED)) {
          for (String worker : WORKERS) {
            final String host = network.address(cluster.host(worker));
            final var udpPorts = TestNetwork.udpPorts(cluster.node(worker));
            for (int round = 0; round < GARBAGE_ROUNDS; round++) garbage.toUdp(host, udpPorts);
            garbage.toTcp(cluster.clusterAddress(worker));
          }
          assertEquals(quiet, load.bytes(), cluster::toString);
        }
        cluster.awaitNothingHeld("frontend-1");
        shouldHaveCounted(cluster);
        for (String worker : WORKERS) shouldHaveKeptNothing(cluster, worker, before.get(worker));
      }
    }
  }

  private static void shouldHaveCounted(TestCluster cluster) throws Exception {
    for (String worker : WORKERS) {
      final double faults = cluster.metric(worker, "stator_transport_frame_faults_total");
      assertTrue(faults > 0, worker + " has counted no garbage");
    }
    cluster.await(
        "frontend-1",
        "damaged blocks are counted",
        view -> ClusterLook.node(view, "decode-1").at("/transfer/rejected_blocks").asLong() > 0);
  }

  private static void shouldHaveKeptNothing(TestCluster cluster, String worker, ProcessLook before)
      throws Exception {
    final ProcessLook after = cluster.node(worker).look();
    System.out.printf("%s: %s, then %s%n", worker, before, after);
    assertTrue(
        after.heapBytes() - before.heapBytes() < HEAP_GROWTH_MAX,
        () -> worker + " keeps memory: " + before + ", then " + after);
  }
}
