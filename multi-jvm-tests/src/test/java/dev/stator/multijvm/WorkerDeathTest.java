package dev.stator.multijvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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

/**
 * Workers that die or hang while they answer: clients see a pause, and the bytes they would have
 * seen.
 */
class WorkerDeathTest {
  private static final List<Question> QUESTIONS =
      IntStream.range(0, 24).mapToObj(index -> Question.longStory(index, 60, 400)).toList();

  @TempDir private Path folder;
  private final Distribution distribution = Distribution.orSkip();

  @Test
  void shouldFinishEveryStreamWhenWorkersDieAndHang() throws Exception {
    final List<Answer.Bytes> quiet = QuietRun.answers(distribution, folder, QUESTIONS);
    try (TestCluster cluster =
        TestCluster.create(distribution, folder)
            .with("frontend", "frontend-1")
            .with("prefill", "prefill-1", "prefill-2")
            .with("decode", "decode-1", "decode-2")) {
      shouldAnswerThough(cluster, quiet, () -> cluster.node("decode-1").kill());
      cluster.startAgain("decode-1");
      shouldAnswerThough(cluster, quiet, () -> cluster.node("prefill-1").kill());
      cluster.startAgain("prefill-1");
      shouldAnswerThough(cluster, quiet, () -> cluster.node("decode-2").hang());
      cluster.awaitGone("frontend-1", "decode-2"); // Until then it may come back.
      cluster.node("decode-2").resume();
      cluster.node("decode-2").waitForExit();
    }
  }

  private static void shouldAnswerThough(
      TestCluster cluster, List<Answer.Bytes> quiet, Disturbance disturbance) throws Exception {
    try (Load load = Load.start(cluster.address("frontend-1"), QUESTIONS)) {
      load.awaitFirstTexts();
      disturbance.happen();
      assertTrue(load.openCount() > 0, "the answers were over before anything happened");
      assertEquals(quiet, load.bytes(), cluster::toString);
    }
  }

  /** What goes wrong. */
  @FunctionalInterface
  private interface Disturbance {
    void happen() throws Exception;
  }
}
