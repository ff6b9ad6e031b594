package dev.stator.multijvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.multijvm.harness.Load;
import dev.stator.multijvm.harness.Question;
import dev.stator.multijvm.harness.Stage;
import dev.stator.multijvm.harness.Staged;
import dev.stator.multijvm.harness.TestCluster;
import java.util.List;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** The planner's node dies, which is a node of routers only: streams go on, another node plans. */
@Staged
@Order(Stage.OWN_CLUSTER)
class PlannerDeathTest {
  private static final List<Question> RUNNING = Question.stories(1900, 4, 400);
  private static final List<Question> LATE = Question.stories(1910, 4, 60);

  @Test
  void shouldPlanOnAnotherNodeWhenThePlannersNodeDies(Stage stage) throws Exception {
    final var running = stage.quiet(RUNNING);
    final var late = stage.quiet(LATE);
    try (TestCluster cluster =
        stage
            .ownCluster("-Dstator.planner.interval=500ms", "-Dstator.planner.report-interval=250ms")
            .with("router", "router-1") // The oldest, so the planner's.
            .with("frontend", "frontend-1")
            .with("decode", "decode-1")
            .start()) {
      awaitPlanner(cluster, "router-1");
      try (Load load = Load.start(cluster.address("frontend-1"), RUNNING)) {
        load.awaitFirstTexts();
        cluster.node("router-1").kill();
        try (Load more = Load.start(cluster.address("frontend-1"), LATE)) {
          assertEquals(late, more.bytes(), cluster::toString);
        }
        assertEquals(running, load.bytes(), cluster::toString);
      }
      awaitPlanner(cluster, "frontend-1");
      cluster.awaitNothingHeld("frontend-1");
    }
  }

  /** Waits until a node plans, and knows the worker. */
  private static void awaitPlanner(TestCluster cluster, String node) {
    cluster.await(
        "frontend-1",
        node + " plans for the worker",
        view -> view.at("/planner/node").asText().equals(node) && hasDecided(view));
  }

  private static boolean hasDecided(JsonNode view) {
    for (JsonNode note : view.at("/planner/decisions")) {
      if (note.path("decision").asText().contains("1 decode slots are")) return true;
      if (note.path("decision").asText().contains("a slot prefills")) return true;
    }
    return false;
  }
}
