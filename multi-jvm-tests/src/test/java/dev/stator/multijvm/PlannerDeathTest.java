package dev.stator.multijvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.multijvm.harness.Answer;
import dev.stator.multijvm.harness.Distribution;
import dev.stator.multijvm.harness.Load;
import dev.stator.multijvm.harness.Question;
import dev.stator.multijvm.harness.QuietRun;
import dev.stator.multijvm.harness.TestCluster;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The planner's node dies, which is a node of routers only: streams go on, another node plans. */
class PlannerDeathTest {
  private static final List<Question> RUNNING = Question.stories(4, 400);
  private static final List<Question> LATE = Question.stories(4, 60);

  @TempDir private Path folder;
  private final Distribution distribution = Distribution.orSkip();

  @Test
  void shouldPlanOnAnotherNodeWhenThePlannersNodeDies() throws Exception {
    final List<Answer.Bytes> running = QuietRun.answers(distribution, folder, RUNNING);
    final List<Answer.Bytes> late = QuietRun.answers(distribution, folder, LATE);
    try (TestCluster cluster =
        TestCluster.create(
                distribution,
                folder,
                "-Dstator.planner.interval=500ms",
                "-Dstator.planner.report-interval=250ms")
            .with("router", "router-1") // The oldest, so the planner's.
            .with("frontend", "frontend-1")
            .with("prefill", "prefill-1")
            .with("decode", "decode-1")) {
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

  /** Waits until a node plans, and knows both workers. */
  private static void awaitPlanner(TestCluster cluster, String node) {
    cluster.await(
        "frontend-1",
        node + " plans for both workers",
        view -> view.at("/planner/node").asText().equals(node) && hasDecided(view));
  }

  private static boolean hasDecided(JsonNode view) {
    for (JsonNode note : view.at("/planner/decisions")) {
      if (note.path("decision").asText().contains("1 prefill slots owe")) return true;
      if (note.path("decision").asText().contains("a slot prefills")) return true;
    }
    return false;
  }
}
