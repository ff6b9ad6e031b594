package dev.stator.multijvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stator.multijvm.harness.Answer;
import dev.stator.multijvm.harness.Distribution;
import dev.stator.multijvm.harness.Load;
import dev.stator.multijvm.harness.Question;
import dev.stator.multijvm.harness.QuietRun;
import dev.stator.multijvm.harness.Stream;
import dev.stator.multijvm.harness.TestCluster;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clients that leave, at any stage of their requests, leave nothing behind on any node. */
class ClientGoneClusterTest {
  private static final List<Question> LEAVING =
      IntStream.range(0, 24).mapToObj(index -> Question.longStory(index, 150, 400)).toList();
  private static final List<Question> STAYING = Question.stories(4, 200);

  @TempDir private Path folder;
  private final Distribution distribution = Distribution.orSkip();

  @Test
  void shouldHoldNothingForClientsThatLeft() throws Exception {
    final List<Answer.Bytes> quiet = QuietRun.answers(distribution, folder, STAYING);
    try (TestCluster cluster =
        TestCluster.create(distribution, folder)
            .with("frontend", "frontend-1")
            .with("prefill", "prefill-1")
            .with("decode", "decode-1")) {
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
}
