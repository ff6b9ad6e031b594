package dev.stator.multijvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stator.multijvm.harness.ClusterLook;
import dev.stator.multijvm.harness.Load;
import dev.stator.multijvm.harness.Question;
import dev.stator.multijvm.harness.Stage;
import dev.stator.multijvm.harness.Staged;
import dev.stator.multijvm.harness.TestCluster;
import dev.stator.multijvm.harness.TestNetwork;
import java.util.List;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** A decode host that loses every twentieth packet behind a slow link still gets its blocks. */
@Staged
@Order(Stage.OWN_CLUSTER)
class LossyNetworkTest {
  private static final int LOSS_PERCENT = 5;
  private static final long SLOW_BYTES_PER_SECOND = 20_000_000;
  private static final List<Question> QUESTIONS = Question.longStories(960, 12, 150, 64);

  @Test
  void shouldAnswerWhenPacketsAreLostAndTheLinkIsSlow(Stage stage) throws Exception {
    try (TestNetwork network = TestNetwork.orSkip(3)) {
      final var quiet = stage.quiet(QUESTIONS);
      try (TestCluster cluster =
          stage
              .ownClusterOn(network)
              .with("frontend", "frontend-1")
              .with("prefill", "prefill-1")
              .with("decode", "decode-1")
              .start()) {
        network.loseUdp(cluster.host("decode-1"), LOSS_PERCENT);
        network.limitRate(cluster.host("prefill-1"), SLOW_BYTES_PER_SECOND);
        try (Load load = Load.start(cluster.address("frontend-1"), QUESTIONS)) {
          assertEquals(quiet, load.bytes(), cluster::toString);
        }
        cluster.awaitNothingHeld("frontend-1");
        cluster.await(
            "frontend-1",
            "blocks have come over UDP",
            view -> ClusterLook.sumOverSlots(view, "/received_bytes") > 0);
      }
    }
  }
}
