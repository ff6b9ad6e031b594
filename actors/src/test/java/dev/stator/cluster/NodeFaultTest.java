package dev.stator.cluster;

import static dev.stator.cluster.TestNode.BOTH;
import static dev.stator.cluster.TestNode.alone;
import static dev.stator.cluster.TestNode.call;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.cluster.TestNode.Answer;
import dev.stator.engine.RequestId;
import dev.stator.model.grammar.Constraint;
import dev.stator.protocol.Place;
import dev.stator.protocol.RouterCommand;
import dev.stator.protocol.WorkerRole;
import dev.stator.request.GenerationCall;
import dev.stator.request.GenerationEvent;
import dev.stator.request.GenerationEvent.Completed;
import dev.stator.request.GenerationEvent.Failed;
import dev.stator.transport.FaultyBackend;
import dev.stator.worker.WorkerStats;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.testkit.typed.javadsl.LogCapturingExtension;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.stream.javadsl.Sink;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Whatever breaks, the bytes of the quiet run, and nothing left behind. */
@ExtendWith(LogCapturingExtension.class)
class NodeFaultTest {
  private static final int SMALL_POOL = 70; // Blocks; the longest call needs 38.

  private final ControlledDevice.Control control = new ControlledDevice.Control();
  private TestNode node;

  @AfterEach
  void shutDown() {
    control.allowAll();
    if (node != null) node.close();
  }

  @Test
  void shouldAnswerTheSameWhenTransfersLoseDelayRepeatShortenAndDamage() throws Exception {
    final FaultyBackend backend =
        new FaultyBackend(new FaultyBackend.Faults(0.05, 0.1, 0.1, 0.05, 0.1), new Random(1));
    node = TestNode.disaggregated("", backend);
    node.awaitReady();
    final Map<GenerationCall, CompletableFuture<List<GenerationEvent>>> calls =
        new LinkedHashMap<>();
    for (int seed = 0; seed < 16; seed++) {
      final GenerationCall call = call("call-" + seed, seed, 40 + 5 * seed, 10);
      calls.put(call, node.start(call));
    }
    for (var entry : calls.entrySet()) {
      assertEquals(alone(entry.getKey()), Answer.of(entry.getValue().get(20, TimeUnit.SECONDS), 0));
    }
    assertTrue(backend.faultCount() > 10, backend.faultCount() + " faults");
    node.awaitEmpty();
  }

  @Test
  void shouldComputeThePromptItselfWhenNoBlockArrives() throws Exception {
    node =
        TestNode.disaggregated(
            "stator.worker.write-attempts-max = 1",
            new FaultyBackend(new FaultyBackend.Faults(1, 0, 0, 0, 0), new Random(1)));
    node.awaitReady();
    final GenerationCall call = call("alone", 9, 60, 10);
    assertEquals(alone(call), node.answer(call));
    assertEquals(1, decoder().remotePrefillFallbacks(), node.figures());
    assertEquals(0, decoder().transferReceivedBytes());
    node.awaitEmpty();
  }

  @Test
  void shouldGoOnWithTheSameBytesWhenTheWorkerIsKilledInMidStream() throws Exception {
    for (String victim : List.of("worker-0", "worker-0/engine", "worker-0/decode")) {
      final var control = new ControlledDevice.Control();
      node = TestNode.start("", null, TestNode.controlled("both", BOTH, control));
      node.awaitReady();
      final GenerationCall call = call("moved", 7, 20, 40);
      final var reader = node.read(call);
      control.allow(8);
      final List<GenerationEvent> events = new ArrayList<>(List.of(TestNode.next(reader)));
      final org.apache.pekko.actor.ActorRef decode = node.actor("worker-0/decode");
      node.kill(victim);
      if (!victim.equals("worker-0/engine")) node.awaitTerminated(decode);
      control.allowAll();
      events.addAll(TestNode.rest(reader));
      assertEquals(alone(call), Answer.of(events, 0), victim);
      assertInstanceOf(Completed.class, events.getLast());
      node.awaitEmpty();
      assertEquals(1, node.node.stats().sessions().moves(), node.figures());
      node.close();
    }
  }

  @Test
  void shouldGoOnUnderItsConstraintWhenTheWorkerIsKilledInMidStream() throws Exception {
    final String form = "((bo|a)+ fi){8,30}";
    node = TestNode.start("", null, TestNode.controlled("both", BOTH, control));
    node.awaitReady();
    final GenerationCall call = TestNode.constrained("moved", 7, 200, new Constraint.Regex(form));
    final var reader = node.read(call);
    control.allow(8);
    final List<GenerationEvent> events = new ArrayList<>(List.of(TestNode.next(reader)));
    final org.apache.pekko.actor.ActorRef decode = node.actor("worker-0/decode");
    node.kill("worker-0");
    node.awaitTerminated(decode);
    control.allowAll();
    events.addAll(TestNode.rest(reader));
    final String text = Answer.of(events, 0).text();
    assertTrue(text.matches(form), text);
    assertEquals(alone(call).text(), text);
    assertInstanceOf(Completed.class, events.getLast());
    assertEquals(1, node.node.stats().sessions().moves(), node.figures());
    node.awaitEmpty();
  }

  @Test
  void shouldGoOnElsewhereWhenOneOfTwoWorkersIsKilled() throws Exception {
    node =
        TestNode.start(
            "stator.node.restart-delay-min = 20s",
            null,
            TestNode.controlled("a", BOTH, control),
            TestNode.slot("b", BOTH, TestNode.BLOCKS));
    node.awaitReady();
    final List<GenerationCall> calls = new ArrayList<>();
    final List<CompletableFuture<List<GenerationEvent>>> running = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      calls.add(call("call-" + i, i, 20, 30));
      running.add(node.start(calls.get(i)));
    }
    node.awaitTrue(
        "nothing at a",
        () ->
            node.node.stats().workers().stream()
                .anyMatch(worker ->
                    worker.id().slot().equals("a") && worker.load().waitingSequences() > 0));
    final org.apache.pekko.actor.ActorRef decode = node.actor("worker-0/decode");
    control.allow(6);
    node.kill("worker-0");
    node.awaitTerminated(decode);
    control.allowAll();
    for (int i = 0; i < 6; i++) {
      assertEquals(alone(calls.get(i)), Answer.of(running.get(i).get(20, TimeUnit.SECONDS), 0));
    }
    node.awaitEmpty();
  }

  @Test
  void shouldAnswerTheSameWhenThePrefillWorkerIsKilled() throws Exception {
    node =
        TestNode.start(
            "",
            null,
            TestNode.controlled("prefill", Set.of(WorkerRole.PREFILL), control),
            TestNode.slot("decode", Set.of(WorkerRole.DECODE), TestNode.BLOCKS));
    node.awaitReady();
    final GenerationCall call = call("half", 8, 100, 10);
    final var running = node.start(call);
    control.allow(2); // Two chunks of eight tokens: four blocks leave.
    node.awaitTrue(
        "nothing has left", () -> node.node.stats().transfer().receivedBytes() >= 4 * 32);
    node.kill("worker-0/engine"); // Behind the step that waits.
    control.allowAll();
    assertEquals(alone(call), Answer.of(running.get(20, TimeUnit.SECONDS), 0));
    assertEquals(1, decoder().remotePrefillFallbacks(), node.figures());
    node.awaitEmpty();
  }

  @Test
  void shouldTryAgainWhenAStepFails() throws Exception {
    node = TestNode.start("", null, TestNode.controlled("both", BOTH, control));
    node.awaitReady();
    final GenerationCall call = call("failed", 7, 20, 40);
    final var reader = node.read(call);
    control.allow(8);
    final List<GenerationEvent> events = new ArrayList<>(List.of(TestNode.next(reader)));
    control.fail(1);
    control.allowAll();
    events.addAll(TestNode.rest(reader));
    assertEquals(alone(call), Answer.of(events, 0));
    assertEquals(1, control.opened(), "one failure does not cost the engine");
    node.awaitEmpty();
  }

  @Test
  void shouldMakeTheEngineAnewWhenItsDeviceFailsAgainAndAgain() throws Exception {
    node = TestNode.start("", null, TestNode.controlled("both", BOTH, control));
    node.awaitReady();
    control.fail(3);
    control.allowAll();
    final GenerationCall call = call("failed", 7, 20, 40);
    assertEquals(alone(call), node.answer(call));
    assertEquals(2, control.opened());
    assertEquals(1, control.closed());
    node.awaitEmpty();
  }

  @Test
  void shouldGiveUpWhenTheDeviceNeverWorks() throws Exception {
    node =
        TestNode.start(
            "stator.session.retries-max = 4", null, TestNode.controlled("both", BOTH, control));
    node.awaitReady();
    control.fail(Integer.MAX_VALUE);
    control.allowAll();
    final Failed failed = (Failed) node.events(call("never", 7, 20, 40)).getLast();
    assertEquals(Failed.Kind.UNAVAILABLE, failed.kind());
    assertEquals("no worker could finish this request", failed.message());
    node.awaitEmpty();
  }

  @Test
  void shouldKnowItsWorkersAgainWhenTheRouterIsRestarted() throws Exception {
    node = TestNode.disaggregated("", null);
    node.awaitReady();
    final GenerationCall first = call("first", 1, 60, 5);
    assertEquals(alone(first), node.answer(first));
    assertEquals(1, node.node.stats().router().placedRemote());
    node.awaitTrue("not indexed", this::knowsEveryCachedBlock);
    final ActorRef<RouterCommand> router = Adapter.toTyped(node.actor("router"));
    router.tell(new Place(new RequestId("broken/0"), 0, null, 1, "", "", Set.of(), null, null));
    node.awaitTrue(
        "not known again",
        () ->
            node.node.stats().router().workers() == 2
                && knowsEveryCachedBlock()
                && node.node.stats().router().placedRemote() == 0);
    final GenerationCall second = call("second", 2, 60, 5);
    assertEquals(alone(second), node.answer(second));
    node.awaitEmpty();
  }

  private boolean knowsEveryCachedBlock() {
    final long cached =
        node.node.stats().workers().stream().mapToLong(stats -> stats.load().cachedBlocks()).sum();
    return cached > 0 && node.node.stats().router().indexedBlocks() == cached;
  }

  @Test
  void shouldLeaveNothingBehindWhenManyCallsComeAndGoOnSmallPools() throws Exception {
    final FaultyBackend backend =
        new FaultyBackend(new FaultyBackend.Faults(0.01, 0.05, 0.05, 0.01, 0.01), new Random(2));
    node =
        TestNode.start(
            "",
            backend,
            TestNode.slot("prefill", Set.of(WorkerRole.PREFILL), SMALL_POOL),
            TestNode.slot("decode-a", Set.of(WorkerRole.DECODE), SMALL_POOL),
            TestNode.slot("decode-b", Set.of(WorkerRole.DECODE), SMALL_POOL),
            TestNode.slot("both", BOTH, SMALL_POOL));
    node.awaitReady();
    final Random random = new Random(4);
    int answered = 0;
    for (int wave = 0; wave < 2; wave++) answered += runWave(wave, random);
    assertTrue(answered > 40, "answered " + answered);
    assertTrue(node.node.stats().sessions().cancelled() > 40, node.figures());
    node.awaitEmpty();
  }

  /** Two hundred calls at once, half of the readers leave early; returns how many got answers. */
  private int runWave(int wave, Random random) {
    final List<GenerationCall> calls = new ArrayList<>();
    final List<CompletableFuture<Answer>> answers = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      final int seed = random.nextInt(30); // Prompts come again: prefix hits.
      calls.add(call("wave-" + wave + "-" + i, seed, 4 + seed * 4, 5 + random.nextInt(30)));
      final int eventsMax = random.nextBoolean() ? Integer.MAX_VALUE : random.nextInt(6);
      answers.add(read(calls.get(i), eventsMax));
    }
    int answered = 0;
    for (int i = 0; i < 200; i++) {
      final Answer answer = answers.get(i).orTimeout(30, TimeUnit.SECONDS).join();
      if (answer == null) continue;
      answered++;
      assertEquals(alone(calls.get(i)), answer);
    }
    return answered;
  }

  /** {@code null} when the reader left, or the call was refused. */
  private CompletableFuture<Answer> read(GenerationCall call, int eventsMax) {
    return node.node
        .generations()
        .generate(call)
        .take(eventsMax)
        .runWith(Sink.seq(), node.testKit.system())
        .toCompletableFuture()
        .thenApply(events ->
            !events.isEmpty() && events.getLast() instanceof Completed
                ? Answer.of(events, 0)
                : null);
  }

  private WorkerStats decoder() {
    return node.node.stats().workers().stream()
        .filter(worker -> worker.id().slot().equals("decode"))
        .findFirst()
        .orElseThrow();
  }
}
