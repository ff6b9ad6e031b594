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

/**
 * The node of router, directory and planner dies: streams go on, new requests wait for the next
 * one.
 */
class RouterDeathTest {
  private static final List<Question> RUNNING = Question.stories(16, 400);
  private static final List<Question> WAITING = Question.stories(8, 60);

  @TempDir private Path folder;
  private final Distribution distribution = Distribution.orSkip();

  @Test
  void shouldPlaceEveryRequestWhenTheRoutersNodeDies() throws Exception {
    final List<Answer.Bytes> running = QuietRun.answers(distribution, folder, RUNNING);
    final List<Answer.Bytes> waiting = QuietRun.answers(distribution, folder, WAITING);
    try (TestCluster cluster =
        TestCluster.create(distribution, folder)
            .with("frontend", "frontend-1", "frontend-2")
            .with("router", "router-1")
            .with("decode", "decode-1")) {
      final JsonNode before = cluster.status("frontend-1");
      final String victim = before.at("/routers/0/node").asText();
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
    }
  }
}
