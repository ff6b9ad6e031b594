package dev.stator.multijvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stator.multijvm.harness.Load;
import dev.stator.multijvm.harness.Question;
import dev.stator.multijvm.harness.Stage;
import dev.stator.multijvm.harness.Staged;
import dev.stator.multijvm.harness.Stream;
import dev.stator.multijvm.harness.TestCluster;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Clients that leave, at any stage of their requests, leave nothing behind on any node. */
@Staged
class ClientGoneClusterTest {
  private static final List<Question> LEAVING = Question.longStories(200, 24, 150, 400);
  private static final List<Question> STAYING = Question.stories(200, 4, 200);

  @Test
  void shouldHoldNothingForClientsThatLeft(Stage stage) throws Exception {
    final var quiet = stage.quiet(STAYING);
    final TestCluster cluster = stage.cluster();
    try (Load staying = Load.start(cluster.address("frontend-1"), STAYING);
        Load leaving = Load.start(cluster.address("frontend-1"), LEAVING)) {
      // The first ones leave in mid-answer, when the last ones are still being prefilled.
      leaving.streams().getFirst().awaitFirstText();
      for (Stream stream : leaving.streams()) stream.leave();
      assertEquals(quiet, staying.bytes(), cluster::toString);
    }
    cluster.awaitNothingHeld("frontend-1");
  }
}
