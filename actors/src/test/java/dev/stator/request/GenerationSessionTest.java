package dev.stator.request;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.stator.engine.FinishReason;
import dev.stator.protocol.DecodeCommand;
import dev.stator.protocol.Place;
import dev.stator.protocol.PlacementAnswer.Cause;
import dev.stator.protocol.PlacementAnswer.NotPlaced;
import dev.stator.protocol.RouterCommand;
import dev.stator.protocol.WorkerAnswer;
import dev.stator.request.GenerationEvent.Completed;
import dev.stator.request.GenerationEvent.Delta;
import dev.stator.request.GenerationEvent.Failed;
import dev.stator.request.GenerationEvent.Failed.Kind;
import dev.stator.request.GenerationEvent.Finished;
import dev.stator.request.GenerationEvent.Usage;
import dev.stator.worker.SessionStats;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.pekko.Done;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.junit.jupiter.api.Test;

/** A session's way when no message is lost. */
class GenerationSessionTest extends SessionFixture {
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
    for (Duration waited = SETTINGS.placeInterval();
        waited.compareTo(SETTINGS.placePatience()) < 0;
        waited = waited.plus(SETTINGS.placeInterval())) {
      time.timePasses(SETTINGS.placeInterval());
      assertEquals(place.attempt(), router.expectMessageClass(Place.class).attempt());
    }
    time.timePasses(SETTINGS.placeInterval());
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
    for (int losses = 1; losses <= SETTINGS.retriesMax(); losses++) {
      time.timePasses(Duration.ofSeconds(2));
      final Place elsewhere = router.expectMessageClass(Place.class);
      assertEquals(Set.of(A), elsewhere.avoid());
      notPlaced(elsewhere, Cause.OVERLOADED);
      router.expectNoMessage(SOON);
      time.timePasses(Duration.ofSeconds(2));
      final Place again = router.expectMessageClass(Place.class);
      assertEquals(Set.of(), again.avoid());
      placed(again, A, workerA);
      lose(workerA.expectMessageClass(DecodeCommand.Generate.class));
      if (losses < SETTINGS.retriesMax()) router.expectMessageClass(RouterCommand.Ended.class);
    }
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
        List.of("r#h.0/1", "r#h.0/2"), places.stream().map(place -> place.id().value()).toList());
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
}
