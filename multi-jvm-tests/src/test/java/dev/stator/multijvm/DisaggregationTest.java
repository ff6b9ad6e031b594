package dev.stator.multijvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stator.multijvm.harness.ClusterLook;
import dev.stator.multijvm.harness.Load;
import dev.stator.multijvm.harness.Question;
import dev.stator.multijvm.harness.Stage;
import dev.stator.multijvm.harness.Staged;
import dev.stator.multijvm.harness.TestCluster;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Prefill here, decode there: the same answers as one process gives, bit by bit. */
@Staged
class DisaggregationTest {
  private static final List<Question> QUESTIONS =
      Question.longStories(100, 12, 150, 64).stream().map(Question::withLogprobs).toList();

  @Test
  void shouldAnswerAsOneProcessDoes(Stage stage) throws Exception {
    final var quiet = stage.quiet(QUESTIONS);
    final TestCluster cluster = stage.cluster();
    final long sentBefore = ClusterLook.sumOverSlots(cluster.status("frontend-1"), "/sent_bytes");
    try (Load load = Load.start(cluster.address("frontend-1"), QUESTIONS)) {
      assertEquals(quiet, load.bytes(), cluster::toString);
    }
    cluster.await(
        "frontend-1",
        "blocks have been sent",
        view -> ClusterLook.sumOverSlots(view, "/sent_bytes") > sentBefore);
  }
}
