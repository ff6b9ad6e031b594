package dev.stator.multijvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stator.multijvm.harness.ClusterLook;
import dev.stator.multijvm.harness.Load;
import dev.stator.multijvm.harness.Question;
import dev.stator.multijvm.harness.Stage;
import dev.stator.multijvm.harness.Staged;
import dev.stator.multijvm.harness.TestCluster;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Decode workers that stand still two thirds of the time while blocks come: slow, not wrong. */
@Staged
class SlowReceiverTest {
  private static final Duration HANGING = Duration.ofMillis(400);
  private static final Duration RUNNING = Duration.ofMillis(200);
  private static final List<Question> QUESTIONS = Question.longStories(1000, 12, 150, 48);

  @Test
  void shouldAnswerWhenReceiversAreStarved(Stage stage) throws Exception {
    final var quiet = stage.quiet(QUESTIONS);
    final TestCluster cluster = stage.cluster();
    final long before = received(cluster);
    try (Load load = Load.start(cluster.address("frontend-1"), QUESTIONS);
        AutoCloseable _ = cluster.node("decode-1").starve(HANGING, RUNNING);
        AutoCloseable _ = cluster.node("decode-2").starve(HANGING, RUNNING)) {
      assertEquals(quiet, load.bytes(), cluster::toString);
    }
    cluster.awaitNothingHeld("frontend-1");
    cluster.await("frontend-1", "blocks have come", view -> received(view) > before);
  }

  private static long received(TestCluster cluster) throws Exception {
    return received(cluster.status("frontend-1"));
  }

  private static long received(com.fasterxml.jackson.databind.JsonNode view) {
    return ClusterLook.sumOverSlots(view, "/received_bytes");
  }
}
