package dev.stator.cluster;

import static dev.stator.cluster.NodeRoleTest.DECODE;
import static dev.stator.cluster.TestNode.alone;
import static dev.stator.cluster.TestNode.call;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.stator.cluster.TestCluster.Member;
import dev.stator.request.GenerationCall;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.pekko.actor.testkit.typed.javadsl.LogCapturingExtension;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Only nodes of one authority talk to each other. */
@ExtendWith(LogCapturingExtension.class)
class ClusterTlsTest {
  private static final String SHORT_JOIN = "stator.cluster.join-timeout = 3s\n";

  @TempDir Path folder;
  private final TestCluster cluster = new TestCluster("");

  @AfterEach
  void shutDown() {
    cluster.close();
  }

  @Test
  void shouldAnswerOverTlsAndShutOutStrangers() {
    final var ours = new TestCertificates(folder, "ours");
    final Member frontend =
        cluster.start(
            "frontend-1", "frontend", Optional.empty(), ours.settings("frontend", "stator"));
    final Member decode =
        cluster.worker(
            TestNode.MODEL,
            "decode-1",
            ours.settings("decode", "stator"),
            TestNode.slot("a", DECODE, TestNode.BLOCKS));
    cluster.awaitServing(frontend, decode);
    final GenerationCall call = call("secret", 1, 20, 30);
    assertEquals(alone(call), cluster.answer(frontend, call));

    final var theirs = new TestCertificates(folder, "theirs");
    final Member stranger =
        cluster.worker(
            TestNode.MODEL,
            "decode-2",
            SHORT_JOIN + theirs.settings("stranger", "stator"),
            TestNode.slot("a", DECODE, TestNode.BLOCKS));
    final Member open =
        cluster.worker(
            TestNode.MODEL, "decode-3", SHORT_JOIN, TestNode.slot("a", DECODE, TestNode.BLOCKS));
    for (Member shutOut : new Member[] {stranger, open}) {
      final var ending = TestCluster.join(shutOut.node.stopped().toCompletableFuture());
      assertFalse(ending.expected());
      assertTrue(ending.reason().contains("has taken this node in"), ending.reason());
    }
    assertEquals(2, frontend.node.view().nodes().size(), cluster.figures());
    assertEquals(alone(call), cluster.answer(frontend, call));
  }

  @Test
  void shouldNameTheFileThatIsMissing() {
    final var config =
        ConfigFactory.parseString("stator.cluster.tls.enabled = on")
            .withFallback(ConfigFactory.load());
    final var refused =
        assertThrows(IllegalArgumentException.class, () -> ClusterSettings.from(config));
    assertEquals(
        "stator.cluster.tls.cert-file must name a file that can be read: \"\"",
        refused.getMessage());
  }
}
