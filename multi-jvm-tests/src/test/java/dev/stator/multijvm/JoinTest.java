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

/** A node that joins under load takes its part of it, and leaves again. */
@Staged
class JoinTest {
  private static final List<Question> BEFORE = Question.stories(500, 12, 400);
  private static final List<Question> AFTER = Question.stories(520, 16, 100);

  @Test
  void shouldSendWorkToANodeThatJoins(Stage stage) throws Exception {
    final var quietBefore = stage.quiet(BEFORE);
    final var quietAfter = stage.quiet(AFTER);
    final TestCluster cluster = stage.cluster();
    try (Load before = Load.start(cluster.address("frontend-1"), BEFORE)) {
      before.awaitFirstTexts();
      cluster.add("decode-3", "decode");
      try (Load after = Load.start(cluster.address("frontend-1"), AFTER)) {
        assertEquals(quietAfter, after.bytes(), cluster::toString);
      }
      assertEquals(quietBefore, before.bytes(), cluster::toString);
    }
    cluster.await(
        "frontend-1",
        "decode-3 has computed",
        view -> ClusterLook.node(view, "decode-3").at("/slots/0/computed_tokens").asLong() > 0);
    cluster.awaitNothingHeld("frontend-1");
    cluster.remove("decode-3");
  }
}
