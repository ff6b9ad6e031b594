package dev.stator.cluster;

import static dev.stator.cluster.NodeRoleTest.DECODE;
import static dev.stator.cluster.NodeRoleTest.PREFILL;
import static dev.stator.cluster.TestNode.BOTH;
import static dev.stator.cluster.TestNode.alone;
import static dev.stator.cluster.TestNode.call;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.cluster.ClusterView.NodeState;
import dev.stator.cluster.TestCluster.Member;
import dev.stator.cluster.TestNode.Answer;
import dev.stator.engine.SamplingParams;
import dev.stator.protocol.WorkerRole;
import dev.stator.request.GenerationCall;
import dev.stator.request.GenerationEvent;
import dev.stator.request.GenerationEvent.Failed;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.apache.pekko.actor.testkit.typed.javadsl.LogCapturingExtension;
import org.apache.pekko.actor.testkit.typed.javadsl.LoggingTestKit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Nodes that drain, slots that change sides, models that come. */
@ExtendWith(LogCapturingExtension.class)
class ClusterChangeTest {
  private final ControlledDevice.Control control = new ControlledDevice.Control();
  private TestCluster cluster = new TestCluster("");

  @AfterEach
  void shutDown() {
    control.allowAll();
    cluster.close();
  }

  @Test
  void shouldFinishWhatRunsWhenANodeDrains() {
    final Member frontend = cluster.frontend("frontend-1");
    final Member leaving = cluster.worker("decode-1", TestNode.controlled("a", DECODE, control));
    cluster.awaitServing(frontend, leaving);
    final GenerationCall first = call("first", 1, 20, 30);
    final var running = cluster.start(frontend, first);
    control.allow(5);
    cluster.awaitTrue("not begun", () -> steps(leaving) >= 4);
    final Member staying = cluster.worker("decode-2", TestNode.slot("a", DECODE, TestNode.BLOCKS));
    cluster.awaitServing(staying);
    cluster.awaitTrue("two slots", () -> frontend.node.stats().router().workers() == 2);
    final var left = frontend.node.drainNode("decode-1").toCompletableFuture();
    cluster.awaitTrue("not seen", () -> stateOf(frontend, "decode-1") == NodeState.DRAINING);
    final GenerationCall second = call("second", 2, 20, 30);
    assertEquals(alone(second), cluster.answer(frontend, second));
    control.allowAll();
    assertEquals(alone(first), Answer.of(running.join(), 0));
    TestCluster.join(left);
    assertEquals(
        new ClusterNode.Ending(true, "the node was drained"),
        TestCluster.join(leaving.node.stopped().toCompletableFuture()));
    assertEquals(0, frontend.node.stats().sessions().moves(), cluster.figures());
    assertEquals(1, control.closed());
    cluster.awaitEmpty(frontend, staying);
  }

  @Test
  void shouldMoveWhatStillRunsWhenADrainTakesTooLong() {
    cluster.close();
    cluster = new TestCluster("stator.cluster.drain-timeout = 200ms");
    final Member frontend = cluster.frontend("frontend-1");
    final Member leaving = cluster.worker("decode-1", TestNode.controlled("a", DECODE, control));
    cluster.awaitServing(frontend, leaving);
    final GenerationCall call = call("moved", 3, 20, 30);
    final var running = cluster.start(frontend, call);
    control.allow(5);
    cluster.awaitTrue("not begun", () -> steps(leaving) >= 4);
    final Member staying = cluster.worker("decode-2", TestNode.slot("a", DECODE, TestNode.BLOCKS));
    cluster.awaitServing(staying);
    LoggingTestKit.info("Draining")
        .withLoggerName(ClusterGuardian.class.getName()) // Or its level would not be ours.
        .expect(leaving.system, leaving.node::drain);
    assertEquals(alone(call), Answer.of(running.join(), 0));
    cluster.awaitTrue("not moved", () -> frontend.node.stats().sessions().moves() == 1);
    control.allowAll();
    TestCluster.join(leaving.node.stopped().toCompletableFuture());
    cluster.awaitEmpty(frontend, staying);
  }

  @Test
  void shouldRefuseCallsAndFinishSessionsWhenAFrontendDrains() {
    final Member first = cluster.frontend("frontend-1");
    final Member decode = cluster.worker("decode-1", TestNode.controlled("a", DECODE, control));
    cluster.awaitServing(first, decode);
    final Member second = cluster.frontend("frontend-2");
    cluster.awaitServing(second);
    final GenerationCall call = call("running", 4, 20, 30);
    final var running = cluster.start(first, call);
    control.allow(5);
    cluster.awaitTrue("not begun", () -> steps(decode) >= 4);
    final var stopped = first.node.drain().toCompletableFuture();
    final var refused = cluster.start(first, call("late", 5, 20, 30)).join();
    assertEquals(Failed.Kind.UNAVAILABLE, ((Failed) refused.getLast()).kind());
    assertTrue(!stopped.isDone());
    control.allowAll();
    assertEquals(alone(call), Answer.of(running.join(), 0));
    TestCluster.join(stopped);
    final GenerationCall after = call("after", 6, 20, 30);
    assertEquals(alone(after), cluster.answer(second, after));
  }

  @Test
  void shouldSayWhoIsThereWhenAStrangerIsToDrain() {
    final Member frontend = cluster.frontend("frontend-1");
    cluster.awaitTrue("not up", () -> frontend.node.state() == LocalNode.State.SERVING);
    final var left = frontend.node.drainNode("decode-9").toCompletableFuture();
    final var failure = assertThrows(CompletionException.class, () -> TestCluster.join(left));
    assertTrue(
        failure.getMessage().contains("no node is named decode-9; there are frontend-1"),
        failure.getMessage());
  }

  @Test
  void shouldMoveASlotToTheOtherSideWhenPromptsQueueUp() {
    cluster.close();
    cluster =
        new TestCluster(
            """
            stator.planner.interval = 50ms
            stator.planner.report-interval = 50ms
            stator.planner.prefill-queue-tokens-high = 100
            stator.planner.prefill-queue-tokens-low = 10
            """);
    final Member frontend = cluster.frontend("frontend-1");
    final Member prefill = cluster.worker("prefill-1", TestNode.controlled("a", PREFILL, control));
    final Member decode =
        cluster.worker(
            "decode-1",
            TestNode.slot("a", DECODE, TestNode.BLOCKS),
            TestNode.slot("b", DECODE, TestNode.BLOCKS));
    cluster.awaitServing(frontend, prefill, decode);
    cluster.awaitTrue("three slots", () -> frontend.node.stats().router().workers() == 3);
    final List<GenerationCall> calls = new ArrayList<>();
    final List<CompletableFuture<List<GenerationEvent>>> running = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      calls.add(call("call-" + i, i, 60, 5));
      running.add(cluster.start(frontend, calls.get(i)));
    }
    cluster.awaitTrue("no slot has moved", () -> slotsThatPrefill(decode) == 1);
    control.allowAll();
    for (int i = 0; i < 3; i++) {
      assertEquals(alone(calls.get(i)), Answer.of(running.get(i).join(), 0));
    }
    cluster.awaitTrue(
        "not shown",
        () ->
            frontend.node.view().planner().decisions().stream()
                .anyMatch(ClusterView.PlannerNote::isMove));
    assertEquals(0, frontend.node.stats().sessions().moves(), cluster.figures());
    cluster.awaitEmpty(frontend, prefill, decode);
  }

  @Test
  void shouldServeEveryModelAtEveryFrontend() {
    final Member frontend = cluster.frontend("frontend-1");
    final Member one =
        cluster.worker(
            TestCluster.named("one"), "both-1", "", TestNode.slot("a", BOTH, TestNode.BLOCKS));
    final Member two =
        cluster.worker(
            TestCluster.named("two"), "both-2", "", TestNode.slot("a", BOTH, TestNode.BLOCKS));
    cluster.awaitServing(frontend, one, two);
    cluster.awaitTrue("two models", () -> frontend.node.models().size() == 2);
    final GenerationCall call = call("call", 7, 20, 30);
    assertEquals(alone(call), cluster.answer(frontend, of("one", call)));
    assertEquals(alone(call), cluster.answer(frontend, of("two", call)));
    assertTrue(steps(one) > 0 && steps(two) > 0, cluster.figures());
    final var unknown = cluster.start(frontend, of("three", call)).join();
    assertEquals(Failed.Kind.UNKNOWN_MODEL, ((Failed) unknown.getLast()).kind());
    assertEquals(
        List.of("one", "two"),
        frontend.node.view().models().stream().map(ClusterView.ModelView::name).toList());
  }

  private static GenerationCall of(String model, GenerationCall call) {
    final SamplingParams sampling = call.sampling();
    return new GenerationCall(
        call.requestId(), model, call.promptTokens(), sampling, 1, List.of(), "");
  }

  private static NodeState stateOf(Member viewer, String name) {
    return viewer.node.view().nodes().stream()
        .filter(node -> node.name().equals(name))
        .map(ClusterView.NodeView::state)
        .findFirst()
        .orElse(null);
  }

  private static long slotsThatPrefill(Member member) {
    return member.node.stats().workers().stream()
        .filter(worker -> worker.roles().equals(Set.of(WorkerRole.PREFILL)))
        .count();
  }

  private static long steps(Member member) {
    return member.node.stats().workers().stream().mapToLong(worker -> worker.load().steps()).sum();
  }
}
