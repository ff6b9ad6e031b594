package dev.stator.multijvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.multijvm.harness.Load;
import dev.stator.multijvm.harness.Question;
import dev.stator.multijvm.harness.Stage;
import dev.stator.multijvm.harness.Staged;
import dev.stator.multijvm.harness.TestCluster;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The node of router, directory and planner dies: streams go on, new requests wait for the next
 * one.
 */
@Staged
class RouterDeathTest {
  private static final double REBUILD_SECONDS_MAX = 1; // By the router's own clock.
  private static final List<Question> RUNNING = Question.stories(600, 12, 300);
  private static final List<Question> WAITING = Question.stories(620, 8, 60);

  @Test
  void shouldPlaceEveryRequestWhenTheRoutersNodeDies(Stage stage) throws Exception {
    final var running = stage.quiet(RUNNING);
    final var waiting = stage.quiet(WAITING);
    final TestCluster cluster = stage.cluster().add("router-1", "router");
    final String victim = cluster.status("frontend-1").at("/routers/0/node").asText();
    final String client = victim.equals("frontend-1") ? "frontend-2" : "frontend-1";
    try (Load load = Load.start(cluster.address(client), RUNNING)) {
      load.awaitFirstTexts();
      cluster.node(victim).kill();
      try (Load late = Load.start(cluster.address(client), WAITING)) {
        assertEquals(waiting, late.bytes(), cluster::toString);
      }
      assertEquals(running, load.bytes(), cluster::toString);
    }
    cluster.awaitNothingHeld(client);
    final JsonNode router = cluster.status(client).at("/routers/0");
    assertNotEquals(victim, router.path("node").asText());
    final double rebuildSeconds = router.path("rebuild_seconds").asDouble(Double.NaN);
    System.out.printf("The router was rebuilt in %.3f s%n", rebuildSeconds);
    assertTrue(rebuildSeconds <= REBUILD_SECONDS_MAX, cluster::toString);
    assertTrue(router.path("indexed_blocks").asLong() > 0, cluster::toString);
    cluster.start();
    cluster.remove("router-1");
  }
}
