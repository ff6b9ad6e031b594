package dev.stator.multijvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stator.multijvm.harness.Answer;
import dev.stator.multijvm.harness.Distribution;
import dev.stator.multijvm.harness.Load;
import dev.stator.multijvm.harness.Question;
import dev.stator.multijvm.harness.QuietRun;
import dev.stator.multijvm.harness.TestCluster;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Prefill here, decode there: the same answers as one process gives, bit by bit. */
class DisaggregationTest {
  private static final List<Question> QUESTIONS =
      IntStream.range(0, 12)
          .mapToObj(index -> Question.longStory(index, 150, 64).withLogprobs())
          .toList();

  @TempDir private Path folder;
  private final Distribution distribution = Distribution.orSkip();

  @Test
  void shouldAnswerAsOneProcessDoes() throws Exception {
    final List<Answer.Bytes> quiet = QuietRun.answers(distribution, folder, QUESTIONS);
    try (TestCluster cluster =
            TestCluster.create(distribution, folder)
                .with("frontend", "frontend-1")
                .with("prefill", "prefill-1")
                .with("decode", "decode-1");
        Load load = Load.start(cluster.address("frontend-1"), QUESTIONS)) {
      assertEquals(quiet, load.bytes());
    }
  }
}
