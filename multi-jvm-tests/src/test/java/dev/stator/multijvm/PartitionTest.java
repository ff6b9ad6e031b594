package dev.stator.multijvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stator.multijvm.harness.Answer;
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

/**
 * Five hosts, blocks over UDP. Hosts are cut off, without anybody being told: the others go on, and
 * who was cut off ends by itself, since the cluster went on without it.
 */
@Staged
@Order(Stage.OWN_CLUSTER)
class PartitionTest {
  private static final List<Question> WITHOUT_WORKER = Question.longStories(900, 12, 150, 250);
  private static final List<Question> WITHOUT_ROUTER = Question.longStories(920, 12, 150, 250);
  private static final List<Question> HEALED = Question.longStories(940, 6, 150, 60);

  @Test
  void shouldGoOnWithoutTheHostsThatAreCutOff(Stage stage) throws Exception {
    try (TestNetwork network = TestNetwork.orSkip(5)) {
      final List<Answer.Bytes> withoutWorker = stage.quiet(WITHOUT_WORKER);
      final List<Answer.Bytes> withoutRouter = stage.quiet(WITHOUT_ROUTER);
      final List<Answer.Bytes> healed = stage.quiet(HEALED);
      try (TestCluster cluster =
          stage
              .ownClusterOn(network)
              .with("frontend", "frontend-1", "frontend-2")
              .with("prefill", "prefill-1")
              .with("decode", "decode-1", "decode-2")
              .start()) {
        final String router = cluster.status("frontend-1").at("/routers/0/node").asText();
        final String client = router.equals("frontend-1") ? "frontend-2" : "frontend-1";
        shouldAnswerWithout(cluster, network, "decode-1", client, WITHOUT_WORKER, withoutWorker);
        shouldAnswerWithout(cluster, network, router, client, WITHOUT_ROUTER, withoutRouter);
        cluster.start();
        try (Load load = Load.start(cluster.address(router), HEALED)) {
          assertEquals(healed, load.bytes(), cluster::toString);
        }
        cluster.awaitNothingHeld(client);
        cluster.await(
            client,
            "blocks have gone over UDP",
            view -> ClusterLook.sumOverSlots(view, "/sent_bytes") > 0);
      }
    }
  }

  /** When the host is healed, its node has ended: it has learnt that it was alone. */
  private static void shouldAnswerWithout(
      TestCluster cluster,
      TestNetwork network,
      String victim,
      String client,
      List<Question> questions,
      List<Answer.Bytes> quiet)
      throws Exception {
    try (Load load = Load.start(cluster.address(client), questions)) {
      load.awaitFirstTexts();
      network.cut(cluster.host(victim));
      assertEquals(quiet, load.bytes(), cluster::toString);
    }
    cluster.awaitGone(client, victim);
    network.heal(cluster.host(victim));
    cluster.node(victim).waitForExit();
    cluster.awaitNothingHeld(client);
  }
}
