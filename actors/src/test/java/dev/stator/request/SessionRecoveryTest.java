package dev.stator.request;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.stator.engine.FinishReason;
import dev.stator.engine.RequestId;
import dev.stator.protocol.BookingCheck;
import dev.stator.protocol.DecodeCommand;
import dev.stator.protocol.DecodeCommand.Generate;
import dev.stator.protocol.Place;
import dev.stator.protocol.PlacementAnswer.Cause;
import dev.stator.protocol.RouterCommand;
import dev.stator.protocol.WorkerAnswer;
import dev.stator.protocol.WorkerId;
import dev.stator.request.GenerationEvent.Failed.Kind;
import dev.stator.worker.SessionStats;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.SinkQueueWithCancel;
import org.junit.jupiter.api.Test;

/** Messages get lost, come late or twice, nodes cannot be reached: the same answer. */
class SessionRecoveryTest extends SessionFixture {
  private final TestProbe<DecodeCommand> speaker = testKit.createTestProbe();

  @Test
  void shouldTakeOneOfTwoAnswersToTheSameQuestion() {
    open(call(1));
    final Place place = router.expectMessageClass(Place.class);
    time.timePasses(SETTINGS.placeInterval());
    final Place again = router.expectMessageClass(Place.class);
    assertEquals(place.attempt(), again.attempt());
    assertEquals("", place.numerics());
    placed(place, A, workerA);
    placed(again, A, workerA);
    answer(workerA.expectMessageClass(Generate.class), A, 0, FinishReason.LENGTH, 5);
    workerA.expectNoMessage(SOON);
    assertEquals(words(5), textOfTheRest());
  }

  @Test
  void shouldWaitForAPlaceForAsLongAsItHasPatience() {
    lose(started(call(1)));
    router.expectMessageClass(RouterCommand.Ended.class);
    final Duration step = SETTINGS.retryDelayMax();
    for (long steps = SETTINGS.placePatience().dividedBy(step); steps > 1; steps--) {
      time.timePasses(step);
      notPlaced(router.expectMessageClass(Place.class), Cause.UNAVAILABLE);
      router.expectNoMessage(SOON);
    }
    time.timePasses(step);
    assertFails(
        Kind.UNAVAILABLE,
        "the limit router.decode-workers is 0, this request needs 1",
        ROUTER_SAYS);
  }

  @Test
  void shouldSendTheOrderAgainUntilTheWorkerSpeaks() {
    final Generate generate = started(call(1));
    time.timePasses(SETTINGS.checkInterval());
    workerA.expectNoMessage(SOON);
    time.timePasses(SETTINGS.checkInterval());
    assertEquals(generate, workerA.expectMessageClass(Generate.class));
    runs(generate, A, 0);
    time.timePasses(SETTINGS.checkInterval().multipliedBy(2));
    workerA.expectNoMessage(SOON);
  }

  @Test
  void shouldMoveWhenTheWorkerIsSilent() {
    final Generate generate = started(call(1));
    answer(generate, A, 0, null, 5);
    router.expectMessageClass(RouterCommand.PrefillFinished.class);
    for (int i = 0; i < SETTINGS.silentChecksMax(); i++) {
      time.timePasses(SETTINGS.checkInterval());
      workerA.expectNoMessage(SOON);
    }
    time.timePasses(SETTINGS.checkInterval());
    workerA.expectMessage(new DecodeCommand.Cancel(ID, 0));
    router.expectMessage(new RouterCommand.Ended(ID, 0));
    time.timePasses(SETTINGS.retryDelay());
    final Place place = router.expectMessageClass(Place.class);
    assertEquals(Set.of(A), place.avoid());
    assertArrayEquals(new int[] {1, 2, 3, 5}, place.tokens());
    assertEquals("bits of " + A.slot(), place.numerics());
    placed(place, B, workerB);
    answer(workerB.expectMessageClass(Generate.class), B, 1, FinishReason.LENGTH, 6);
    assertEquals(words(5, 6), textOfTheRest());
  }

  @Test
  void shouldStayWhereTheWorkerSaysThatItRuns() {
    final Generate generate = started(call(1));
    for (int i = 0; i < 3 * SETTINGS.silentChecksMax(); i++) {
      runs(generate, A, 0);
      time.timePasses(SETTINGS.checkInterval());
      workerA.expectNoMessage(SOON);
    }
    answer(generate, A, 0, FinishReason.LENGTH, 5);
    assertEquals(words(5), textOfTheRest());
  }

  @Test
  void shouldTellWhereItRunsEachTimeWhenAsked() {
    final Generate first =
        started(new GenerationCall("r", "m", PROMPT, sampling(), 1, List.of(), "", false, true));
    answer(first, A, 0, null, 5);
    assertEquals(placedAt("a", 0), next());
    assertEquals(new GenerationEvent.Delta(0, words(5), 1, List.of()), next());
    lose(first);
    time.timePasses(SETTINGS.retryDelay());
    router.expectMessageClass(RouterCommand.PrefillFinished.class);
    router.expectMessageClass(RouterCommand.Ended.class);
    placed(router.expectMessageClass(Place.class), B, workerB);
    answer(workerB.expectMessageClass(Generate.class), B, 1, FinishReason.LENGTH, 6);
    assertEquals(placedAt("b", 1), next());
  }

  private static GenerationEvent.Placed placedAt(String worker, int attempt) {
    return new GenerationEvent.Placed(0, attempt, worker, 0, null, false, "local: test", List.of());
  }

  @Test
  void shouldMoveWhenTheWorkerHasSentMoreThanHasCome() {
    final Generate generate = started(call(1));
    answer(generate, A, 0, null, 5);
    runs(generate, A, 1);
    workerA.expectNoMessage(SOON);
    runs(generate, A, 2);
    workerA.expectMessage(new DecodeCommand.Cancel(ID, 0));
  }

  @Test
  void shouldCancelWhatNobodyWaitsFor() {
    final Generate first = started(call(1));
    lose(first);
    router.expectMessageClass(RouterCommand.Ended.class);
    runs(first, A, 0);
    speaker.expectMessage(new DecodeCommand.Cancel(ID, 0));
    time.timePasses(SETTINGS.retryDelay());
    placed(router.expectMessageClass(Place.class), B, workerB);
    final Generate second = workerB.expectMessageClass(Generate.class);
    runs(first, A, 0);
    speaker.expectMessage(new DecodeCommand.Cancel(ID, 0));
    runs(second, A, 0); // The right attempt, at another place.
    speaker.expectMessage(new DecodeCommand.Cancel(ID, 1));
    answer(second, B, 0, FinishReason.LENGTH, 5);
    assertEquals(words(5), textOfTheRest());
    awaitStats(new SessionStats(0, 1, 0, 1, 0, 0, 0));
    runs(second, B, 1); // Of a session that has ended.
    speaker.expectMessage(new DecodeCommand.Cancel(ID, 1));
  }

  @Test
  void shouldTakeTokensThatComeTwiceOnce() {
    final Generate generate = started(call(1));
    answer(generate, A, 0, null, 5, 6);
    answer(generate, A, 0, null, 5, 6);
    answer(generate, A, 1, null, 6, 7);
    answer(generate, A, 0, null, 5);
    answer(generate, A, 3, FinishReason.LENGTH, 8);
    answer(generate, A, 3, FinishReason.LENGTH, 8);
    assertEquals(words(5, 6, 7, 8), textOfTheRest());
    workerA.expectNoMessage(SOON);
  }

  @Test
  void shouldMoveAtOnceWhenTheNodeOfItsWorkerCannotBeReached() {
    final Generate first = started(call(1));
    answer(first, A, 0, null, 5);
    router.expectMessageClass(RouterCommand.PrefillFinished.class);
    hub.tell(new SessionHub.NodeUnreachable(ELSEWHERE));
    workerA.expectNoMessage(SOON);
    hub.tell(new SessionHub.NodeUnreachable(workerA.ref().path().address()));
    workerA.expectMessage(new DecodeCommand.Cancel(ID, 0));
    router.expectMessage(new RouterCommand.Ended(ID, 0));
    final Place place = router.expectMessageClass(Place.class);
    assertEquals(Set.of(A), place.avoid());
    assertEquals(1, place.attempt());
    answer(first, A, 1, null, 60); // From a place that it has left.
    placed(place, B, workerB); // Of the same node here.
    router.expectMessage(new RouterCommand.Ended(ID, 1));
    workerB.expectNoMessage(SOON);
    hub.tell(new SessionHub.NodeReachable(workerA.ref().path().address()));
    time.timePasses(SETTINGS.retryDelayMax());
    final Place again = router.expectMessageClass(Place.class);
    assertEquals(Set.of(B), again.avoid());
    placed(again, A, workerA);
    answer(workerA.expectMessageClass(Generate.class), A, 1, FinishReason.LENGTH, 6);
    assertEquals(words(5, 6), textOfTheRest());
  }

  @Test
  void shouldTellTheRouterAgainWhatItMayHaveMissed() {
    final Generate generate = started(call(1));
    answer(generate, A, 0, null, 5);
    router.expectMessage(new RouterCommand.PrefillFinished(ID, 0));
    final ActorRef<BookingCheck> checks = sessionsOf(call(1));
    check(checks, ID, 0);
    router.expectMessage(new RouterCommand.PrefillFinished(ID, 0));
    final RequestId unknown = new RequestId("gone#h.9/0");
    check(checks, unknown, 3);
    router.expectMessage(new RouterCommand.Ended(unknown, 3));
    lose(generate);
    router.expectMessage(new RouterCommand.Ended(ID, 0));
    check(checks, ID, 0);
    router.expectMessage(new RouterCommand.Ended(ID, 0));
    time.timePasses(SETTINGS.retryDelay());
    final Place place = router.expectMessageClass(Place.class);
    check(checks, ID, 1);
    router.expectNoMessage(SOON);
    placed(place, B, workerB);
    workerB.expectMessageClass(Generate.class);
    check(checks, ID, 1);
    router.expectNoMessage(SOON);
  }

  @Test
  void shouldNameTheCallsOfTwoNodesApartAndDrawTheSame() {
    final Generate here = started(call(1));
    final ActorRef<SessionHub.Command> other =
        testKit.spawn(
            SessionHub.create(
                () -> "i", MODEL, router.ref(), SETTINGS, ignored -> {}, reporting()));
    new LocalGenerations(other, SETTINGS)
        .generate(call(1))
        .runWith(Sink.ignore(), testKit.system());
    placed(router.expectMessageClass(Place.class), A, workerA);
    final Generate there = workerA.expectMessageClass(Generate.class);
    assertNotEquals(here.request().id(), there.request().id());
    assertEquals(here.request().sampling(), there.request().sampling());
  }

  private static final Address ELSEWHERE = new Address("pekko", "elsewhere", "host", 1);

  /** The hub's ear for the router, as a call of another id tells it. */
  private ActorRef<BookingCheck> sessionsOf(GenerationCall like) {
    final SinkQueueWithCancel<GenerationEvent> before = reader;
    open(new GenerationCall("other", "m", like.promptTokens(), like.sampling(), 1, List.of(), ""));
    final Place place = router.expectMessageClass(Place.class);
    reader.cancel();
    router.expectMessageClass(RouterCommand.Ended.class);
    reader = before;
    return place.sessions();
  }

  private static void check(ActorRef<BookingCheck> checks, RequestId id, int attempt) {
    checks.tell(new BookingCheck(List.of(new BookingCheck.Booked(id, attempt))));
  }

  private void runs(Generate generate, WorkerId worker, int sentTokens) {
    final var sequence =
        new WorkerAnswer.RunningSequence(generate.request().id(), generate.attempt(), sentTokens);
    generate.replyTo().tell(new WorkerAnswer.Running(worker, speaker.ref(), List.of(sequence)));
  }
}
