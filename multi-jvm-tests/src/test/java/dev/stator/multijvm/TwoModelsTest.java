package dev.stator.multijvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.stator.multijvm.harness.Load;
import dev.stator.multijvm.harness.Question;
import dev.stator.multijvm.harness.Stage;
import dev.stator.multijvm.harness.Staged;
import dev.stator.multijvm.harness.TestCluster;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** Two models in one cluster: a frontend without a model serves both, each by its own workers. */
@Staged
@Order(Stage.OWN_CLUSTER)
class TwoModelsTest {
  private static final String OTHER = "other-tiny";
  private static final List<Question> QUESTIONS = Question.stories(700, 6, 64);

  @Test
  void shouldServeEveryModelOfTheClusterAtAFrontendWithout(Stage stage) throws Exception {
    final var quiet = stage.quiet(QUESTIONS);
    try (TestCluster cluster =
        stage
            .ownCluster()
            .with("frontend", "frontend-1")
            .with("decode", "decode-1")
            .with("decode", List.of("--model-name", OTHER), "decode-2")
            .start()) {
      final JsonNode listed =
          new ObjectMapper().readTree(cluster.get("frontend-1", "/v1/models").body());
      final Set<String> names = new TreeSet<>();
      for (JsonNode model : listed.path("data")) names.add(model.path("id").asText());
      assertEquals(Set.of(OTHER, "stator-tiny-q8_0"), names);
      final List<Question> ofOther =
          QUESTIONS.stream().map(question -> question.withModel(OTHER)).toList();
      try (Load first = Load.start(cluster.address("frontend-1"), QUESTIONS);
          Load second = Load.start(cluster.address("frontend-1"), ofOther)) {
        assertEquals(quiet, first.bytes(), cluster::toString);
        assertEquals(quiet, second.bytes(), cluster::toString);
      }
      cluster.awaitNothingHeld("frontend-1");
    }
  }
}
