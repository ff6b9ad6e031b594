package dev.stator.request;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.stator.engine.FinishReason;
import dev.stator.engine.RequestId;
import dev.stator.engine.SampledToken;
import dev.stator.engine.SamplingParams;
import dev.stator.model.GenerationDefaults;
import dev.stator.protocol.DecodeCommand;
import dev.stator.protocol.Place;
import dev.stator.protocol.Placement;
import dev.stator.protocol.PlacementAnswer.Cause;
import dev.stator.protocol.PlacementAnswer.NotPlaced;
import dev.stator.protocol.PlacementAnswer.Placed;
import dev.stator.protocol.PlannerCommand;
import dev.stator.protocol.RouterCommand;
import dev.stator.protocol.WorkerAnswer;
import dev.stator.protocol.WorkerAnswer.SequenceTokens;
import dev.stator.protocol.WorkerId;
import dev.stator.request.GenerationEvent.Completed;
import dev.stator.request.GenerationEvent.Delta;
import dev.stator.request.GenerationEvent.Failed;
import dev.stator.request.GenerationEvent.Failed.Kind;
import dev.stator.request.GenerationEvent.Finished;
import dev.stator.request.GenerationEvent.Usage;
import dev.stator.testing.WordTokenizer;
import dev.stator.worker.SessionStats;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.pekko.Done;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.LogCapturingExtension;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.SinkQueueWithCancel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Sessions between a reader and a router and workers that are probes. */
@ExtendWith(LogCapturingExtension.class)
class GenerationSessionTest {
  private static final WordTokenizer WORDS = new WordTokenizer(65);
  private static final SessionSettings SETTINGS =
      SessionSettings.from(
          ConfigFactory.parseString("retries-max = 3, retry-delay = 1s, retry-delay-max = 2s")
              .withFallback(ConfigFactory.load().getConfig("stator.session")));
  private static final ServedModel MODEL =
      new ServedModel(
          "m",
          0,
          100,
          WORDS,
          null,
          new GenerationDefaults(
              Set.of(), OptionalDouble.empty(), OptionalDouble.empty(), OptionalInt.empty()));
  private static final int[] PROMPT = {1, 2, 3};
  private static final RequestId ID = new RequestId("r#0/0");
  private static final WorkerId A = new WorkerId("a", 0);
  private static final WorkerId B = new WorkerId("b", 0);
  private static final Duration SOON = Duration.ofMillis(20);
  private static final Duration ROUTER_SAYS = Duration.ofSeconds(7);

  private final ActorTestKit testKit = ActorTestKit.create(ManualTime.config());
  private final ManualTime time = ManualTime.get(testKit.system());
  private final TestProbe<RouterCommand> router = testKit.createTestProbe();
  private final TestProbe<DecodeCommand> workerA = testKit.createTestProbe();
  private final TestProbe<DecodeCommand> workerB = testKit.createTestProbe();
  private final AtomicReference<SessionStats> stats = new AtomicReference<>(SessionStats.NONE);
  private final ActorRef<SessionHub.Command> hub =
      testKit.spawn(
          SessionHub.create(
              MODEL,
              router.ref(),
              SETTINGS,
              stats::set,
              new SessionHub.Reporting(
                  testKit.<PlannerCommand>createTestProbe().ref(),
                  Duration.ofSeconds(1),
                  System::nanoTime)));
  private SinkQueueWithCancel<GenerationEvent> reader;

  @AfterEach
  void shutDown() {
    testKit.shutdownTestKit();
  }

  @Test
  void shouldPlaceRunStreamAndComplete() {
    final DecodeCommand.Generate generate = started(call(1));
    assertEquals(ID, generate.request().id());
    assertArrayEquals(PROMPT, generate.request().tokens());
    assertEquals(0, generate.attempt());
    answer(generate, A, 0, null, 5);
    router.expectMessage(new RouterCommand.PrefillFinished(ID, 0));
    assertEquals(new Delta(0, words(5), 1, List.of()), next());
    answer(generate, A, 1, FinishReason.LENGTH, 7, 8);
    assertEquals(new Delta(0, words(7, 8), 2, List.of()), next());
    assertEquals(new Finished(0, FinishReason.LENGTH), next());
    assertEquals(new Completed(new Usage(3, 3, 2)), next());
    assertNull(next());
    router.expectMessage(new RouterCommand.Ended(ID, 0));
    awaitStats(new SessionStats(0, 1, 0, 1, 0, 0, 0));
    workerA.expectNoMessage(SOON);
  }

  @Test
  void shouldTellTheWorkerToStopAtAStopString() {
    final String stop = words(8).substring(0, 2);
    final var generate =
        started(new GenerationCall("r", "m", PROMPT, sampling(), 1, List.of(stop), ""));
    answer(generate, A, 0, null, 5, 8);
    workerA.expectMessage(new DecodeCommand.Cancel(ID, 0));
    assertEquals(new Delta(0, words(5), 2, List.of()), next());
    assertEquals(new Finished(0, FinishReason.STOP), next());
    assertEquals(new Completed(new Usage(3, 2, 2)), next());
  }

  @Test
  void shouldMoveWithTheTokensSoFarWhenTheWorkerIsGone() {
    final DecodeCommand.Generate first = started(call(1));
    answer(first, A, 0, null, 5, 6);
    router.expectMessageClass(RouterCommand.PrefillFinished.class);
    workerA.stop();
    router.expectMessage(new RouterCommand.Ended(ID, 0));
    time.timePasses(SETTINGS.retryDelay());
    final Place place = router.expectMessageClass(Place.class);
    assertEquals(1, place.attempt());
    assertEquals(Set.of(A), place.avoid());
    assertArrayEquals(new int[] {1, 2, 3, 5, 6}, place.tokens());
    assertEquals(8, place.maxNewTokens());
    placed(place, B, workerB);
    final var second = workerB.expectMessageClass(DecodeCommand.Generate.class);
    assertEquals(1, second.attempt());
    assertEquals(3, second.request().promptLength());
    assertArrayEquals(new int[] {1, 2, 3, 5, 6}, second.request().tokens());
    answer(first, A, 2, null, 60); // Late, from the place it has left.
    answer(second, B, 2, FinishReason.LENGTH, 13);
    assertEquals(words(5, 6, 13), textOfTheRest());
    awaitStats(new SessionStats(0, 1, 0, 1, 0, 0, 1));
  }

  @Test
  void shouldMoveWhenTokensAreMissing() {
    final DecodeCommand.Generate generate = started(call(1));
    answer(generate, A, 1, null, 5);
    workerA.expectMessage(new DecodeCommand.Cancel(ID, 0));
    router.expectMessageClass(RouterCommand.Ended.class);
    time.timePasses(SETTINGS.retryDelay());
    assertEquals(Set.of(), router.expectMessageClass(Place.class).avoid());
  }

  @Test
  void shouldAskTheRouterAgainWhenItIsSilent() {
    open(call(1));
    final Place place = router.expectMessageClass(Place.class);
    for (int i = 0; i < SETTINGS.retriesMax(); i++) {
      time.timePasses(SETTINGS.placeTimeout());
      assertEquals(place.attempt(), router.expectMessageClass(Place.class).attempt());
    }
    time.timePasses(SETTINGS.placeTimeout());
    assertFails(Kind.UNAVAILABLE, "the router does not answer", SETTINGS.retryAfter());
    router.expectMessage(new RouterCommand.Ended(ID, 0));
  }

  @Test
  void shouldFailAtOnceWhenThereIsNoPlaceForANewCall() {
    for (Cause cause : Cause.values()) {
      open(new GenerationCall(cause.name(), "m", PROMPT, sampling(), 1, List.of(), ""));
      final Place place = router.expectMessageClass(Place.class);
      place
          .replyTo()
          .tell(new NotPlaced(place.id(), 0, cause, "router.in-flight-max", 11, 10, ROUTER_SAYS));
      assertFails(
          Kind.valueOf(cause.name()),
          "the limit router.in-flight-max is 10, this request needs 11",
          cause == Cause.INVALID ? null : ROUTER_SAYS);
      router.expectMessage(new RouterCommand.Ended(place.id(), 0));
    }
  }

  @Test
  void shouldTryElsewhereWhenRefusedThenSayWhoseLimitItWas() {
    final DecodeCommand.Generate first = started(call(1));
    refuse(first, A, true);
    router.expectMessageClass(RouterCommand.Ended.class);
    final Place again = router.expectMessageClass(Place.class);
    assertEquals(Set.of(A), again.avoid());
    placed(again, B, workerB);
    refuse(workerB.expectMessageClass(DecodeCommand.Generate.class), B, true);
    router.expectMessageClass(RouterCommand.Ended.class);
    final Place last = router.expectMessageClass(Place.class);
    assertEquals(Set.of(A, B), last.avoid());
    notPlaced(last, Cause.OVERLOADED);
    assertFails(
        Kind.OVERLOADED, "the limit engine.waiting-max is 8, this request needs 9", ROUTER_SAYS);
  }

  @Test
  void shouldFailAsInvalidWhenARefusalDoesNotPass() {
    refuse(started(call(1)), A, false);
    assertFails(Kind.INVALID, "the limit engine.waiting-max is 8, this request needs 9", null);
  }

  @Test
  void shouldFailWhenTheSequenceWouldFailAnywhere() {
    final DecodeCommand.Generate generate = started(call(1));
    generate
        .replyTo()
        .tell(new WorkerAnswer.Lost(generate.request().id(), 0, A, "no finite logit", false));
    assertFails(Kind.INTERNAL, "no finite logit", null);
  }

  @Test
  void shouldWaitLongerEachTimeAndGiveUpInTheEnd() {
    DecodeCommand.Generate generate = started(call(1));
    for (int seconds : new int[] {1, 2, 2}) {
      lose(generate);
      router.expectMessageClass(RouterCommand.Ended.class);
      time.timePasses(Duration.ofSeconds(seconds).minusMillis(1));
      router.expectNoMessage(SOON);
      time.timePasses(Duration.ofMillis(1));
      placed(router.expectMessageClass(Place.class), A, workerA);
      generate = workerA.expectMessageClass(DecodeCommand.Generate.class);
    }
    lose(generate);
    assertFails(Kind.UNAVAILABLE, "no worker could finish this request", SETTINGS.retryAfter());
  }

  @Test
  void shouldTryElsewhereWhenLost() {
    lose(started(call(1)));
    router.expectMessageClass(RouterCommand.Ended.class);
    time.timePasses(Duration.ofSeconds(1));
    assertEquals(Set.of(A), router.expectMessageClass(Place.class).avoid());
  }

  @Test
  void shouldComeBackToTheWorkerThatLostItWhenThereIsNoOther() {
    lose(started(call(1)));
    router.expectMessageClass(RouterCommand.Ended.class);
    time.timePasses(Duration.ofSeconds(1));
    notPlaced(router.expectMessageClass(Place.class), Cause.OVERLOADED);
    router.expectNoMessage(SOON);
    time.timePasses(Duration.ofSeconds(2));
    final Place again = router.expectMessageClass(Place.class);
    assertEquals(Set.of(), again.avoid());
    placed(again, A, workerA);
    lose(workerA.expectMessageClass(DecodeCommand.Generate.class));
    router.expectMessageClass(RouterCommand.Ended.class);
    time.timePasses(Duration.ofSeconds(2));
    notPlaced(router.expectMessageClass(Place.class), Cause.OVERLOADED);
    assertFails(Kind.UNAVAILABLE, "no worker could finish this request", SETTINGS.retryAfter());
  }

  @Test
  void shouldWaitForAPlaceWhenItHasStreamedAlready() {
    final DecodeCommand.Generate first = started(call(1));
    answer(first, A, 0, null, 5);
    router.expectMessageClass(RouterCommand.PrefillFinished.class);
    lose(first);
    router.expectMessageClass(RouterCommand.Ended.class);
    time.timePasses(Duration.ofSeconds(1));
    notPlaced(router.expectMessageClass(Place.class), Cause.UNAVAILABLE);
    router.expectNoMessage(SOON);
    time.timePasses(Duration.ofSeconds(2));
    placed(router.expectMessageClass(Place.class), B, workerB);
    answer(workerB.expectMessageClass(DecodeCommand.Generate.class), B, 1, FinishReason.LENGTH, 13);
    assertEquals(words(5, 13), textOfTheRest());
  }

  @Test
  void shouldCancelAtTheWorkerWhenTheReaderGoes() {
    final DecodeCommand.Generate generate = started(call(1));
    answer(generate, A, 0, null, 5);
    router.expectMessageClass(RouterCommand.PrefillFinished.class);
    reader.cancel();
    workerA.expectMessage(new DecodeCommand.Cancel(ID, 0));
    router.expectMessage(new RouterCommand.Ended(ID, 0));
    awaitStats(new SessionStats(0, 1, 0, 0, 1, 0, 0));
  }

  @Test
  void shouldNameAnewACallThatTakesTheIdOfACancelledOne() {
    final DecodeCommand.Generate first = started(call(1));
    reader.cancel();
    workerA.expectMessageClass(DecodeCommand.Cancel.class);
    router.expectMessageClass(RouterCommand.Ended.class);
    awaitStats(new SessionStats(0, 1, 0, 0, 1, 0, 0));
    final DecodeCommand.Generate second = started(call(1));
    assertNotEquals(first.request().id(), second.request().id());
    answer(first, A, 0, FinishReason.LENGTH, 60); // Left over from the cancelled one.
    answer(second, A, 0, FinishReason.LENGTH, 5);
    assertEquals(words(5), textOfTheRest());
  }

  @Test
  void shouldEndWhenTheReaderGoesBeforeThereIsAPlace() {
    open(call(1));
    final Place place = router.expectMessageClass(Place.class);
    reader.cancel();
    router.expectMessage(new RouterCommand.Ended(ID, 0));
    placed(place, A, workerA);
    workerA.expectNoMessage(SOON);
  }

  @Test
  void shouldStartTheOtherChoicesBehindTheFirstToken() {
    final DecodeCommand.Generate first = started(call(3));
    router.expectNoMessage(SOON);
    answer(first, A, 0, null, 5);
    router.expectMessageClass(RouterCommand.PrefillFinished.class);
    final List<Place> places =
        List.of(router.expectMessageClass(Place.class), router.expectMessageClass(Place.class));
    assertEquals(
        List.of("r#0/1", "r#0/2"), places.stream().map(place -> place.id().value()).toList());
    final List<Long> seeds = new ArrayList<>(List.of(first.request().sampling().seed()));
    for (Place place : places) {
      placed(place, A, workerA);
      final var generate = workerA.expectMessageClass(DecodeCommand.Generate.class);
      assertArrayEquals(PROMPT, generate.request().tokens());
      seeds.add(generate.request().sampling().seed());
      answer(generate, A, 0, FinishReason.LENGTH, 8);
    }
    assertEquals(42, seeds.getFirst());
    assertNotEquals(seeds.get(1), seeds.get(2));
    answer(first, A, 1, FinishReason.LENGTH, 8);
    final List<GenerationEvent> events = rest();
    assertEquals(3, events.stream().filter(Finished.class::isInstance).count());
    assertEquals(new Completed(new Usage(3, 4, 2)), events.getLast());
  }

  @Test
  void shouldCancelTheOtherChoicesWhenOneFails() {
    final DecodeCommand.Generate first = started(call(2));
    answer(first, A, 0, null, 5);
    router.expectMessageClass(RouterCommand.PrefillFinished.class);
    placed(router.expectMessageClass(Place.class), B, workerB);
    refuse(workerB.expectMessageClass(DecodeCommand.Generate.class), B, false);
    workerA.expectMessage(new DecodeCommand.Cancel(ID, 0));
    final List<GenerationEvent> events = rest();
    assertEquals(new Delta(0, words(5), 1, List.of()), events.getFirst());
    assertEquals(Kind.INVALID, ((Failed) events.getLast()).kind());
  }

  @Test
  void shouldAnswerTheDrainWhenTheLastSessionHasEnded() {
    final TestProbe<Done> drained = testKit.createTestProbe();
    final DecodeCommand.Generate generate = started(call(1));
    hub.tell(new SessionHub.Drain(drained.ref()));
    drained.expectNoMessage(SOON);
    answer(generate, A, 0, FinishReason.LENGTH, 5);
    rest();
    drained.receiveMessage();
    open(call(1));
    assertEquals(Kind.UNAVAILABLE, ((Failed) next()).kind());
  }

  @Test
  void shouldFailAllSessionsWhenAborted() {
    started(call(1));
    hub.tell(new SessionHub.Abort("the server stops"));
    workerA.expectMessage(new DecodeCommand.Cancel(ID, 0));
    assertFails(Kind.UNAVAILABLE, "the server stops", SETTINGS.retryAfter());
  }

  @Test
  void shouldSayStoppedWhenTheHubIsGone() {
    started(call(1));
    testKit.stop(hub);
    assertFails(Kind.UNAVAILABLE, "the generation was stopped", SETTINGS.retryAfter());
    workerA.expectMessage(new DecodeCommand.Cancel(ID, 0));
  }

  /** Opens a call and takes it to worker A. */
  private DecodeCommand.Generate started(GenerationCall call) {
    open(call);
    placed(router.expectMessageClass(Place.class), A, workerA);
    return workerA.expectMessageClass(DecodeCommand.Generate.class);
  }

  private void open(GenerationCall call) {
    reader =
        new LocalGenerations(hub, SETTINGS)
            .generate(call)
            .runWith(
                Sink.<GenerationEvent>queue().withAttributes(Attributes.inputBuffer(1, 1)),
                testKit.system());
  }

  private static GenerationCall call(int choiceCount) {
    return new GenerationCall("r", "m", PROMPT, sampling(), choiceCount, List.of(), "");
  }

  private static SamplingParams sampling() {
    return Seeds.sampling(
        new SamplingParams(1, 0, 1, 0, 1, 0, 0, Map.of(), 42, 10, 0, Set.of(), false, false, 0), 0);
  }

  private static void placed(Place place, WorkerId worker, TestProbe<DecodeCommand> decode) {
    final var placement =
        new Placement(worker, decode.ref(), 0, null, List.of(), List.of(), "local: test");
    place.replyTo().tell(new Placed(place.id(), place.attempt(), placement));
  }

  private static void notPlaced(Place place, Cause cause) {
    place
        .replyTo()
        .tell(
            new NotPlaced(
                place.id(), place.attempt(), cause, "router.decode-workers", 1, 0, ROUTER_SAYS));
  }

  private static void answer(
      DecodeCommand.Generate generate,
      WorkerId worker,
      int firstIndex,
      FinishReason finish,
      int... ids) {
    final List<SampledToken> tokens = new ArrayList<>();
    for (int id : ids) tokens.add(new SampledToken(id, Float.NaN, List.of()));
    final var sequence =
        new SequenceTokens(
            generate.request().id(), generate.attempt(), firstIndex, tokens, finish, 2);
    generate.replyTo().tell(new WorkerAnswer.TokenBatch(worker, List.of(sequence)));
  }

  private static void refuse(DecodeCommand.Generate generate, WorkerId worker, boolean passing) {
    generate
        .replyTo()
        .tell(
            new WorkerAnswer.Refused(
                generate.request().id(),
                generate.attempt(),
                worker,
                "engine.waiting-max",
                9,
                8,
                passing));
  }

  private static void lose(DecodeCommand.Generate generate) {
    generate
        .replyTo()
        .tell(
            new WorkerAnswer.Lost(
                generate.request().id(), generate.attempt(), A, "the device failed", true));
  }

  private GenerationEvent next() {
    return reader.pull().toCompletableFuture().orTimeout(10, TimeUnit.SECONDS).join().orElse(null);
  }

  private List<GenerationEvent> rest() {
    final List<GenerationEvent> events = new ArrayList<>();
    for (GenerationEvent event = next(); event != null; event = next()) events.add(event);
    return events;
  }

  private String textOfTheRest() {
    final StringBuilder text = new StringBuilder();
    for (GenerationEvent event : rest()) {
      if (event instanceof Delta delta) text.append(delta.text());
    }
    return text.toString();
  }

  private void assertFails(Kind kind, String message, Duration retryAfter) {
    assertEquals(new Failed(kind, message, retryAfter), next());
    assertNull(next());
  }

  private void awaitStats(SessionStats expected) {
    router.awaitAssert(() -> {
      assertEquals(expected, stats.get());
      return null;
    });
  }

  private static String words(int... tokens) {
    assertTrue(tokens.length > 0);
    return WORDS.decode(tokens, true);
  }
}
