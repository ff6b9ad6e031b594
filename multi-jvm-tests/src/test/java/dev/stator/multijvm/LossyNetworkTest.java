package dev.stator.multijvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stator.multijvm.harness.Answer;
import dev.stator.multijvm.harness.ClusterLook;
import dev.stator.multijvm.harness.Distribution;
import dev.stator.multijvm.harness.Load;
import dev.stator.multijvm.harness.Question;
import dev.stator.multijvm.harness.QuietRun;
import dev.stator.multijvm.harness.TestCluster;
import dev.stator.multijvm.harness.TestNetwork;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A decode host that loses every twentieth packet behind a slow link still gets its blocks. */
class LossyNetworkTest {
  private static final String UDP_ONLY = "-Dstator.transport.backends=[udp]";
  private static final int LOSS_PERCENT = 5;
  private static final long SLOW_BYTES_PER_SECOND = 20_000_000;
  private static final List<Question> QUESTIONS =
      IntStream.range(0, 12).mapToObj(index -> Question.longStory(index, 150, 64)).toList();

  @TempDir private Path folder;
  private final Distribution distribution = Distribution.orSkip();

  @Test
  void shouldAnswerWhenPacketsAreLostAndTheLinkIsSlow() throws Exception {
    try (TestNetwork network = TestNetwork.orSkip(3)) {
      final List<Answer.Bytes> quiet = QuietRun.answers(distribution, folder, QUESTIONS);
      try (TestCluster cluster =
          TestCluster.on(network, distribution, folder, UDP_ONLY)
              .with("frontend", "frontend-1")
              .with("prefill", "prefill-1")
              .with("decode", "decode-1")) {
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
