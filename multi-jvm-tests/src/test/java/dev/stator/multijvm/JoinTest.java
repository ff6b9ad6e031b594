package dev.stator.multijvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stator.multijvm.harness.Answer;
import dev.stator.multijvm.harness.ClusterLook;
import dev.stator.multijvm.harness.Distribution;
import dev.stator.multijvm.harness.Load;
import dev.stator.multijvm.harness.Question;
import dev.stator.multijvm.harness.QuietRun;
import dev.stator.multijvm.harness.TestCluster;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node that joins under load takes its part of it. */
class JoinTest {
  private static final List<Question> QUESTIONS = Question.stories(16, 300);

  @TempDir private Path folder;
  private final Distribution distribution = Distribution.orSkip();

  @Test
  void shouldSendWorkToANodeThatJoins() throws Exception {
    final List<Answer.Bytes> quiet = QuietRun.answers(distribution, folder, QUESTIONS);
    try (TestCluster cluster =
        TestCluster.create(distribution, folder)
            .with("frontend", "frontend-1")
            .with("decode", "decode-1")) {
      try (Load before = Load.start(cluster.address("frontend-1"), QUESTIONS)) {
        before.awaitFirstTexts();
        cluster.with("decode", "decode-2");
        try (Load after = Load.start(cluster.address("frontend-1"), QUESTIONS)) {
          assertEquals(quiet, after.bytes(), cluster::toString);
        }
        assertEquals(quiet, before.bytes(), cluster::toString);
      }
      cluster.await(
          "frontend-1",
          "decode-2 has computed",
          view -> ClusterLook.node(view, "decode-2").at("/slots/0/computed_tokens").asLong() > 0);
      cluster.awaitNothingHeld("frontend-1");
    }
  }
}
