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

/** No block is free anywhere: requests wait and make room for one another, and all are answered. */
class FullBlocksTest {
  private static final String BLOCKS = "80"; // About two of these questions at a time.
  private static final List<Question> QUESTIONS =
      IntStream.range(0, 20).mapToObj(index -> Question.longStory(index, 100, 200)).toList();

  @TempDir private Path folder;
  private final Distribution distribution = Distribution.orSkip();

  @Test
  void shouldAnswerAllWhenEveryPoolIsFull() throws Exception {
    final List<Answer.Bytes> quiet = QuietRun.answers(distribution, folder, QUESTIONS);
    try (TestCluster cluster =
            TestCluster.create(distribution, folder, "--kv-blocks", BLOCKS)
                .with("frontend", "frontend-1")
                .with("prefill", "prefill-1")
                .with("decode", "decode-1", "decode-2");
        Load load = Load.start(cluster.address("frontend-1"), QUESTIONS)) {
      assertEquals(quiet, load.bytes(), cluster::toString);
      cluster.awaitNothingHeld("frontend-1");
    }
  }
}
