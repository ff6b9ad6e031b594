package dev.stator.cluster;

import static dev.stator.cluster.NodeRoleTest.DECODE;
import static dev.stator.cluster.NodeRoleTest.PREFILL;
import static dev.stator.cluster.TestNode.alone;
import static dev.stator.cluster.TestNode.call;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.request.GenerationCall;
import dev.stator.request.ServedModel;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.Done;
import org.apache.pekko.actor.testkit.typed.javadsl.LogCapturingExtension;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Nodes that make one server. */
@ExtendWith(LogCapturingExtension.class)
class ClusterNodeTest {
  private TestCluster cluster = new TestCluster("");

  @AfterEach
  void shutDown() {
    cluster.close();
  }

  @Test
  void shouldAnswerAsOneEngineAloneWhenThePromptIsComputedElsewhere() {
    final var frontend = cluster.frontend("frontend-1");
    final var prefill = cluster.worker("prefill-1", TestNode.slot("a", PREFILL, TestNode.BLOCKS));
    final var decode = cluster.worker("decode-1", TestNode.slot("a", DECODE, TestNode.BLOCKS));
    cluster.awaitServing(frontend, prefill, decode);
    final GenerationCall call = call("first", 1, 90, 40);
    assertEquals(alone(call), cluster.answer(frontend, call));
    assertEquals(1, decode.node.stats().workers().getFirst().remotePrefills(), cluster.figures());
    cluster.awaitEmpty(frontend, prefill, decode);
    cluster.awaitTrue(
        "not seen",
        () ->
            frontend.node.view().nodes().stream()
                .allMatch(node -> node.state() == ClusterView.NodeState.SERVING));
    final ClusterView view = frontend.node.view();
    assertEquals("frontend-1", view.routers().getFirst().node());
    assertTrue(view.models().getFirst().nodes().contains("prefill-1"), view.toString());
  }

  /** A client's first request to it must not hear that there is no such model. */
  @Test
  void shouldKnowTheModelsOfTheClusterWhenAFrontendIsReady() {
    final var first = cluster.frontend("frontend-1");
    final var worker = cluster.worker("decode-1", TestNode.slot("a", DECODE, TestNode.BLOCKS));
    cluster.awaitServing(first, worker);
    final var ready = new CompletableFuture<Done>();
    cluster.cardReader =
        card -> {
          ready.completeOnTimeout(null, 2, TimeUnit.SECONDS).join(); // Were it ready, too early.
          return TestCluster.modelOf(card);
        };
    final var late = cluster.frontend("frontend-2");
    final var models = late.node.ready().thenApply(done -> late.node.models());
    models.whenComplete((known, failure) -> ready.complete(Done.getInstance()));
    final var known = models.toCompletableFuture().orTimeout(30, TimeUnit.SECONDS).join();
    assertEquals(List.of("simulated"), known.stream().map(ServedModel::name).toList());
  }
}
