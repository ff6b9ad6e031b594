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

/**
 * Five hosts, blocks over UDP. Hosts are cut off, without anybody being told: the others go on, and
 * who was cut off ends by itself, since the cluster went on without it.
 */
class PartitionTest {
  private static final String UDP_ONLY = "-Dstator.transport.backends=[udp]";
  private static final List<Question> QUESTIONS =
      IntStream.range(0, 16).mapToObj(index -> Question.longStory(index, 150, 300)).toList();

  @TempDir private Path folder;
  private final Distribution distribution = Distribution.orSkip();

  @Test
  void shouldGoOnWithoutTheHostsThatAreCutOff() throws Exception {
    try (TestNetwork network = TestNetwork.orSkip(5)) {
      final List<Answer.Bytes> quiet = QuietRun.answers(distribution, folder, QUESTIONS);
      try (TestCluster cluster =
          TestCluster.on(network, distribution, folder, UDP_ONLY)
              .with("frontend", "frontend-1", "frontend-2")
              .with("prefill", "prefill-1")
              .with("decode", "decode-1", "decode-2")) {
        shouldAnswerWithout(cluster, network, "decode-1", "frontend-1", quiet);
        final String router = cluster.status("frontend-1").at("/routers/0/node").asText();
        final String client = router.equals("frontend-1") ? "frontend-2" : "frontend-1";
        shouldAnswerWithout(cluster, network, router, client, quiet);
        cluster.await(
            client,
            "blocks have gone over UDP",
            view -> ClusterLook.sumOverSlots(view, "/sent_bytes") > 0);
      }
    }
  }

  private static void shouldAnswerWithout(
      TestCluster cluster,
      TestNetwork network,
      String victim,
      String client,
      List<Answer.Bytes> quiet)
      throws Exception {
    try (Load load = Load.start(cluster.address(client), QUESTIONS)) {
      load.awaitFirstTexts();
      network.cut(cluster.host(victim));
      assertEquals(quiet, load.bytes(), cluster::toString);
    }
    cluster.awaitGone(client, victim);
    network.heal(cluster.host(victim));
    cluster.node(victim).waitForExit();
    cluster.joinThrough(client);
    cluster.startAgain(victim);
    cluster.awaitNothingHeld(client);
  }
}
