package dev.stator.multijvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.multijvm.harness.Answer;
import dev.stator.multijvm.harness.ClusterLook;
import dev.stator.multijvm.harness.Distribution;
import dev.stator.multijvm.harness.Load;
import dev.stator.multijvm.harness.Question;
import dev.stator.multijvm.harness.QuietRun;
import dev.stator.multijvm.harness.TestCluster;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every node is stopped and started again, one after the other, under load: nobody notices. */
class DrainTest {
  private static final List<Question> QUESTIONS = Question.stories(16, 300);

  @TempDir private Path folder;
  private final Distribution distribution = Distribution.orSkip();

  @Test
  void shouldFailNoRequestWhenEveryNodeIsRestarted() throws Exception {
    final List<Answer.Bytes> quiet = QuietRun.answers(distribution, folder, QUESTIONS);
    try (TestCluster cluster =
        TestCluster.create(distribution, folder)
            .with("frontend", "frontend-1", "frontend-2")
            .with("prefill", "prefill-1", "prefill-2")
            .with("decode", "decode-1", "decode-2")) {
      for (String name : List.of("decode-1", "decode-2", "prefill-1", "prefill-2")) {
        restartUnderLoad(cluster, name, "frontend-1", quiet);
      }
      cluster.joinThrough("frontend-2");
      restartUnderLoad(cluster, "frontend-1", "frontend-2", quiet);
      cluster.joinThrough("frontend-1");
      restartUnderLoad(cluster, "frontend-2", "frontend-1", quiet);
      cluster.awaitNothingHeld("frontend-1");
    }
  }

  /** The streams begin at the node that goes, if it takes requests, and at the one that stays. */
  private static void restartUnderLoad(
      TestCluster cluster, String name, String staying, List<Answer.Bytes> quiet) throws Exception {
    final boolean isFrontend = name.startsWith("frontend");
    final String asked = isFrontend ? name : staying;
    try (Load load = Load.start(cluster.address(asked), QUESTIONS)) {
      load.awaitFirstTexts();
      assertEquals(0, cluster.node(name).stop(), cluster::toString);
      assertEquals(quiet, load.bytes(), cluster::toString);
    }
    cluster.startAgain(name);
    cluster.await(staying, name + " is back", view -> ClusterLook.serves(view, name));
    assertTrue(cluster.get(staying, "/health").statusCode() == 200);
  }
}
