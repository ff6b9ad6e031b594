package dev.stator.cluster;

import static dev.stator.cluster.TestNode.BOTH;
import static dev.stator.cluster.TestNode.alone;
import static dev.stator.cluster.TestNode.call;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.cluster.TestNode.Answer;
import dev.stator.engine.FinishReason;
import dev.stator.request.GenerationCall;
import dev.stator.request.GenerationEvent;
import dev.stator.request.GenerationEvent.Completed;
import dev.stator.request.GenerationEvent.Delta;
import dev.stator.request.GenerationEvent.Failed;
import dev.stator.request.GenerationEvent.Failed.Kind;
import dev.stator.request.GenerationEvent.Finished;
import dev.stator.worker.WorkerStats;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.testkit.typed.javadsl.LogCapturingExtension;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What a client sees of one node: streams, slow readers, cancels, limits, the end. */
@ExtendWith(LogCapturingExtension.class)
class NodeStreamTest {
  private final ControlledDevice.Control control = new ControlledDevice.Control();
  private TestNode node;

  @AfterEach
  void shutDown() {
    control.allowAll();
    if (node != null) node.close();
  }

  @Test
  void shouldEndWithOneCompletionAndItsUsage() throws Exception {
    start("");
    control.allowAll();
    final List<GenerationEvent> events = node.events(call("first", 1, 30, 12));
    assertEquals(new Completed(new GenerationEvent.Usage(30, 12, 0)), events.getLast());
    assertEquals(new Finished(0, FinishReason.LENGTH), events.get(events.size() - 2));
    assertTrue(events.subList(0, events.size() - 2).stream().allMatch(Delta.class::isInstance));
    final List<GenerationEvent> again = node.events(call("second", 1, 30, 12));
    assertEquals(new Completed(new GenerationEvent.Usage(30, 12, 28)), again.getLast());
    assertEquals(Answer.of(events, 0), Answer.of(again, 0));
  }

  @Test
  void shouldJoinDeltasWhileTheReaderIsSlowAndLoseNothing() throws Exception {
    start("");
    final GenerationCall call = call("slow", 2, 10, 200);
    final var reader = node.read(call);
    control.allow(3); // Two chunks of the prompt and the first token.
    final List<GenerationEvent> events = new ArrayList<>(List.of(TestNode.next(reader)));
    control.allowAll();
    node.awaitTrue("still running", () -> worker().load().runningSequences() == 0);
    events.addAll(TestNode.rest(reader));
    assertEquals(alone(call), Answer.of(events, 0));
    assertTrue(events.size() < 10, "200 tokens came in " + events.size() + " events");
    node.awaitEmpty();
  }

  @Test
  void shouldFreeTheBlocksBeforeTheNextStepWhenTheReaderGoes() throws Exception {
    start("");
    final var reader = node.read(call("left", 3, 10, 200));
    control.allow(4);
    assertInstanceOf(Delta.class, TestNode.next(reader));
    node.awaitTrue("no step is due", () -> worker().load().steps() == 4);
    reader.cancel();
    node.awaitTrue("session is there", () -> node.node.stats().sessions().active() == 0);
    control.allow(1); // The step that was waiting for its turn when the cancel came.
    node.awaitEmpty();
    assertTrue(worker().load().steps() <= 5, node.figures());
    assertEquals(1, node.node.stats().sessions().cancelled());
  }

  @Test
  void shouldGiveEachChoiceItsOwnSeedAndShareThePrompt() throws Exception {
    start("");
    control.allowAll();
    final GenerationCall call = call("three", 4, 32, 15, 3, List.of());
    final List<GenerationEvent> events = node.events(call);
    assertEquals(alone(call), Answer.of(events, 0));
    assertEquals(
        3, Set.of(Answer.of(events, 0), Answer.of(events, 1), Answer.of(events, 2)).size());
    assertEquals(new Completed(new GenerationEvent.Usage(32, 45, 0)), events.getLast());
    assertEquals(3, events.stream().filter(Finished.class::isInstance).count());
    assertTrue(worker().load().prefixHitTokens() >= 2 * 28, node.figures());
    node.awaitEmpty();
  }

  @Test
  void shouldCutTheAnswerAtAStopStringAndFreeTheSequence() throws Exception {
    start("");
    control.allowAll();
    final GenerationCall whole = call("whole", 5, 10, 60);
    final String text = alone(whole).text();
    final String stop = text.substring(40, 47);
    final int at = text.indexOf(stop);
    final List<GenerationEvent> events = node.events(call("cut", 5, 10, 60, 1, List.of(stop)));
    assertEquals(text.substring(0, at), Answer.of(events, 0).text());
    assertTrue(events.contains(new Finished(0, FinishReason.STOP)));
    assertTrue(Answer.of(events, 0).tokenCount() < 60);
    node.awaitEmpty();
  }

  @Test
  void shouldRefuseWithTheEnginesLimitWhenItsQueueIsFull() throws Exception {
    start("");
    final List<CompletableFuture<List<GenerationEvent>>> calls = new ArrayList<>();
    for (int i = 0; i < 40; i++) calls.add(node.start(call("call-" + i, i, 10, 5)));
    // One may be in the step that waits; the others come to the engine together, behind it.
    node.awaitTrue("not all placed", () -> node.node.stats().router().placedLocal() >= 40);
    control.allowAll();
    int refused = 0;
    for (var running : calls) {
      final GenerationEvent last = running.get(20, TimeUnit.SECONDS).getLast();
      if (!(last instanceof Failed failed)) continue;
      assertEquals(Kind.OVERLOADED, failed.kind());
      assertTrue(failed.message().contains("engine.waiting-max is 16"), failed.message());
      assertTrue(failed.retryAfter().isPositive());
      refused++;
    }
    assertTrue(refused > 0 && refused < 40, "refused " + refused);
    node.awaitEmpty();
  }

  @Test
  void shouldRefuseAtTheDoor() throws Exception {
    start("stator.session.sessions-max = 1");
    assertFails(Kind.INVALID, "context length", call("long", 1, TestNode.CONTEXT, 5));
    assertFails(Kind.INVALID, "n must be", call("many", 1, 5, 5, 17, List.of()));
    assertFails(Kind.INVALID, "prompt is empty", call("empty", 1, 0, 5));
    assertFails(Kind.INVALID, "stop string", call("stop", 1, 5, 5, 1, List.of("")));
    assertFails(Kind.INVALID, "half a character", call("half", 1, 5, 5, 1, List.of("\uD83D")));
    final GenerationCall other = call("other", 1, 5, 5);
    assertFails(
        Kind.UNKNOWN_MODEL,
        "no model else",
        new GenerationCall(
            "other", "else", other.promptTokens(), other.sampling(), 1, List.of(), ""));
    final var running = node.start(call("running", 1, 5, 5));
    node.awaitTrue("not running", () -> node.node.stats().sessions().active() == 1);
    assertFails(Kind.INVALID, "in use already", call("running", 1, 5, 5));
    assertFails(Kind.OVERLOADED, "session.sessions-max is 1", call("second", 1, 5, 5));
    control.allowAll();
    assertInstanceOf(Completed.class, running.get(15, TimeUnit.SECONDS).getLast());
  }

  @Test
  void shouldFinishWhatRunsAndRefuseTheRestWhenDraining() throws Exception {
    start("");
    final GenerationCall call = call("last", 6, 10, 30);
    final var running = node.start(call);
    node.awaitTrue("not running", () -> node.node.stats().router().inFlight() == 1);
    final var drained = node.node.drain().toCompletableFuture();
    assertEquals(LocalNode.State.DRAINING, node.node.state());
    assertFails(Kind.UNAVAILABLE, "shutting down", call("late", 1, 5, 5));
    assertTrue(!drained.isDone());
    control.allowAll();
    assertEquals(alone(call), Answer.of(running.get(15, TimeUnit.SECONDS), 0));
    drained.get(15, TimeUnit.SECONDS);
    assertEquals(LocalNode.State.STOPPED, node.node.state());
    assertEquals(1, control.closed());
    assertTrue(node.node.stats().workers().isEmpty());
    assertFails(Kind.UNAVAILABLE, "stopped", call("too-late", 1, 5, 5));
  }

  @Test
  void shouldFailWhatRunsWhenStopped() throws Exception {
    start("");
    final var running = node.start(call("broken", 6, 10, 30));
    node.awaitTrue("not running", () -> node.node.stats().router().inFlight() == 1);
    final var stopped = node.node.stop().toCompletableFuture();
    final Failed failed = (Failed) running.get(15, TimeUnit.SECONDS).getLast();
    control.allowAll();
    stopped.get(15, TimeUnit.SECONDS);
    assertEquals(Kind.UNAVAILABLE, failed.kind());
    assertEquals(control.opened(), control.closed());
  }

  @Test
  void shouldSayWhyWhenAnEngineCannotBeMade() {
    node =
        TestNode.start(
            "",
            null,
            new EngineSlot(
                "broken",
                BOTH,
                () -> {
                  throw new IllegalStateException("no memory for 512 blocks");
                }));
    final var ready = node.node.ready().toCompletableFuture();
    final Throwable failure =
        assertThrows(ExecutionException.class, () -> ready.get(15, TimeUnit.SECONDS));
    assertTrue(failure.getMessage().contains("no memory for 512 blocks"), failure.getMessage());
    node.awaitTrue("not stopped", () -> node.node.state() == LocalNode.State.STOPPED);
  }

  private void start(String overrides) throws Exception {
    node = TestNode.start(overrides, null, TestNode.controlled("both", BOTH, control));
    node.awaitReady();
  }

  private WorkerStats worker() {
    return node.node.stats().workers().getFirst();
  }

  private void assertFails(Kind kind, String words, GenerationCall call) {
    final Failed failed = (Failed) node.events(call).getLast();
    assertEquals(kind, failed.kind(), failed.message());
    assertTrue(failed.message().contains(words), failed.message());
  }
}
