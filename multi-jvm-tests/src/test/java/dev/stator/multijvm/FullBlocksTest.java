package dev.stator.multijvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stator.multijvm.harness.Load;
import dev.stator.multijvm.harness.Question;
import dev.stator.multijvm.harness.Stage;
import dev.stator.multijvm.harness.Staged;
import dev.stator.multijvm.harness.TestCluster;
import java.util.List;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** No block is free anywhere: requests wait and make room for one another, and all are answered. */
@Staged
@Order(Stage.OWN_CLUSTER)
class FullBlocksTest {
  private static final String BLOCKS = "80"; // About two of these questions at a time.
  private static final List<Question> QUESTIONS = Question.longStories(400, 16, 100, 160);

  @Test
  void shouldAnswerAllWhenEveryPoolIsFull(Stage stage) throws Exception {
    final var quiet = stage.quiet(QUESTIONS);
    try (TestCluster cluster =
            stage
                .ownCluster("--kv-blocks", BLOCKS)
                .with("frontend", "frontend-1")
                .with("prefill", "prefill-1")
                .with("decode", "decode-1", "decode-2")
                .start();
        Load load = Load.start(cluster.address("frontend-1"), QUESTIONS)) {
      assertEquals(quiet, load.bytes(), cluster::toString);
      cluster.awaitNothingHeld("frontend-1");
    }
  }
}
