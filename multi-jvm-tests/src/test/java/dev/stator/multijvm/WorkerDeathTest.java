package dev.stator.multijvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.multijvm.harness.Answer;
import dev.stator.multijvm.harness.Load;
import dev.stator.multijvm.harness.Question;
import dev.stator.multijvm.harness.Stage;
import dev.stator.multijvm.harness.Staged;
import dev.stator.multijvm.harness.TestCluster;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Workers that die or hang while they answer: clients see a pause, and the bytes they would have
 * seen.
 */
@Staged
class WorkerDeathTest {
  /** The prompts, when a prefill worker dies, must still be computed: it takes a while. */
  private static final int WORDS = 250;

  private static final int TOKENS = 250;
  private static final int STREAMS = 16;

  @Test
  void shouldFinishEveryStreamWhenADecodeWorkerDies(Stage stage) throws Exception {
    final List<Question> questions = Question.longStories(800, STREAMS, 60, TOKENS);
    final List<Answer.Bytes> quiet = stage.quiet(questions);
    final TestCluster cluster = stage.cluster();
    try (Load load = Load.start(cluster.address("frontend-1"), questions)) {
      load.awaitFirstTexts();
      cluster.node("decode-1").kill();
      assertTrue(load.openCount() > 0, "the answers were over before anything happened");
      assertEquals(quiet, load.bytes(), cluster::toString);
    }
    cluster.awaitNothingHeld("frontend-1");
    cluster.start();
  }

  @Test
  void shouldFinishEveryStreamWhenAPrefillWorkerDiesInMidTransfer(Stage stage) throws Exception {
    final List<Question> questions = Question.longStories(820, STREAMS, WORDS, 60);
    final List<Answer.Bytes> quiet = stage.quiet(questions);
    final TestCluster cluster = stage.cluster();
    try (Load load = Load.start(cluster.address("frontend-1"), questions)) {
      load.awaitAFirstText();
      cluster.node("prefill-1").kill();
      assertTrue(load.silentCount() > 0, "all was prefilled before anything happened");
      assertEquals(quiet, load.bytes(), cluster::toString);
    }
    cluster.awaitNothingHeld("frontend-1");
    cluster.start();
  }

  @Test
  void shouldFinishEveryStreamWhenWorkersHangAndWakeTooLate(Stage stage) throws Exception {
    final List<Question> questions = Question.longStories(840, STREAMS, WORDS, TOKENS);
    final List<Question> later = Question.longStories(860, STREAMS, WORDS, 60);
    final List<Answer.Bytes> quiet = stage.quiet(questions);
    final List<Answer.Bytes> quietLater = stage.quiet(later);
    final TestCluster cluster = stage.cluster();
    final List<String> hanging = List.of("decode-2", "prefill-2");
    try (Load load = Load.start(cluster.address("frontend-1"), questions)) {
      load.awaitAFirstText();
      for (String name : hanging) cluster.node(name).hang();
      assertTrue(load.openCount() > 0, "the answers were over before anything happened");
      assertEquals(quiet, load.bytes(), cluster::toString);
    }
    for (String name : hanging) cluster.awaitGone("frontend-1", name); // Until then it may return.
    // What they do when they wake reaches no memory that others have by then.
    try (Load load = Load.start(cluster.address("frontend-1"), later)) {
      load.awaitAFirstText();
      for (String name : hanging) cluster.node(name).resume();
      assertEquals(quietLater, load.bytes(), cluster::toString);
    }
    for (String name : hanging) cluster.node(name).waitForExit();
    cluster.awaitNothingHeld("frontend-1");
    cluster.start();
  }
}
