package dev.stator.multijvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stator.multijvm.harness.Answer;
import dev.stator.multijvm.harness.Load;
import dev.stator.multijvm.harness.Question;
import dev.stator.multijvm.harness.Stage;
import dev.stator.multijvm.harness.Staged;
import dev.stator.multijvm.harness.TestCluster;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Every node is stopped and started again, one after the other, under load: nobody notices. */
@Staged
class DrainTest {
  private static final List<Question> QUESTIONS = Question.stories(300, 12, 200);

  @Test
  void shouldFailNoRequestWhenEveryNodeIsRestarted(Stage stage) throws Exception {
    final List<Answer.Bytes> quiet = stage.quiet(QUESTIONS);
    final TestCluster cluster = stage.cluster();
    for (String name : List.of("decode-1", "decode-2", "prefill-1", "prefill-2")) {
      restartUnderLoad(cluster, name, "frontend-1", quiet);
    }
    // The streams begin at the node that goes.
    restartUnderLoad(cluster, "frontend-1", "frontend-1", quiet);
    restartUnderLoad(cluster, "frontend-2", "frontend-2", quiet);
    cluster.awaitNothingHeld("frontend-1");
    assertEquals(200, cluster.get("frontend-1", "/health").statusCode());
  }

  private static void restartUnderLoad(
      TestCluster cluster, String name, String asked, List<Answer.Bytes> quiet) throws Exception {
    try (Load load = Load.start(cluster.address(asked), QUESTIONS)) {
      load.awaitFirstTexts();
      assertEquals(0, cluster.stop(name), cluster::toString);
      assertEquals(quiet, load.bytes(), cluster::toString);
    }
    cluster.start();
  }
}
