package dev.stator.router;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.stator.engine.RequestId;
import dev.stator.protocol.BookingCheck;
import dev.stator.protocol.CacheCommand;
import dev.stator.protocol.KvTier;
import dev.stator.protocol.Placement;
import dev.stator.protocol.PlacementAnswer.Cause;
import dev.stator.protocol.PlacementAnswer.Placed;
import dev.stator.protocol.RouterCommand;
import dev.stator.protocol.WorkerCommand;
import dev.stator.protocol.WorkerId;
import dev.stator.worker.RouterStats;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.junit.jupiter.api.Test;

class RouterTest extends RouterFixture {
  @Test
  void shouldPlaceWhereThePrefixIs() {
    final FakeWorker a = new FakeWorker("a").joined(DECODE);
    final FakeWorker b = new FakeWorker("b").joined(DECODE);
    b.stored(0, HASHES.subList(0, 1));
    final Placement placement = placed("r/0", 0);
    assertEquals(b.id, placement.worker());
    assertEquals(b.decode.ref(), placement.decode());
    assertEquals(1, placement.overlapBlocks());
    assertNull(placement.prefill());
    assertEquals(
        List.of(b.id, a.id), placement.candidates().stream().map(c -> c.worker()).toList());
    assertEquals("local: no prefill worker", placement.reason());
  }

  @Test
  void shouldBookWhatItPlacesUntilItEnds() {
    final FakeWorker a = new FakeWorker("a").joined(DECODE);
    final FakeWorker b = new FakeWorker("b").joined(DECODE);
    final WorkerId first = placed("r/0", 0).worker();
    final WorkerId second = placed("r/1", 0).worker();
    assertEquals(Set.of(a.id, b.id), Set.of(first, second));
    router.tell(new RouterCommand.Ended(new RequestId("r/0"), 0));
    assertEquals(first, placed("r/2", 0).worker());
    awaitStat(2, RouterStats::inFlight);
  }

  @Test
  void shouldCountAFinishedPromptNoMore() {
    new FakeWorker("a").joined(DECODE);
    new FakeWorker("b").joined(DECODE);
    final WorkerId first = placed("r/0", 0).worker();
    placed("r/1", 0);
    router.tell(new RouterCommand.PrefillFinished(new RequestId("r/0"), 0));
    assertEquals(first, placed("r/2", 0).worker());
  }

  @Test
  void shouldChooseADedicatedPrefillWorkerForLongPrompts() {
    final FakeWorker decode = new FakeWorker("d").joined(DECODE);
    final FakeWorker both = new FakeWorker("both").joined(PREFILL);
    final FakeWorker prefill = new FakeWorker("p").joined(PREFILL);
    prefill.stored(0, HASHES.subList(0, 1));
    final Placement placement = placed("r/0", 0);
    assertEquals(decode.id, placement.worker());
    assertEquals(
        new Placement.PrefillPlan(
            new Placement.Prefiller(prefill.id, prefill.prefill.ref()),
            false,
            List.of(new Placement.Prefiller(both.id, both.prefill.ref()))),
        placement.prefill());
    awaitStat(1, RouterStats::placedRemote);
  }

  @Test
  void shouldCountWhatLiesOnAWorkersHostForLess() {
    final FakeWorker some = new FakeWorker("some").joined(DECODE);
    final FakeWorker more = new FakeWorker("more").joined(DECODE);
    some.stored(0, HASHES.subList(0, 3));
    more.stored(0, HASHES.subList(0, 1));
    more.stored(KvTier.HOST, 0, HASHES.subList(0, 5)); // 1 + 0.9 * 4
    final Placement placement = placed("r/0", 0);
    assertEquals(more.id, placement.worker());
    assertEquals(4, placement.overlapBlocks());
    more.stored(KvTier.HOST, 3, HASHES.subList(6, 7)); // Two are missing.
    more.worker.expectMessage(new WorkerCommand.DumpKv(router));
    more.dump(KvTier.HOST, 4, HASHES.subList(0, 7));
    router.tell(new RouterCommand.Ended(new RequestId("r/0"), 0));
    assertEquals(6, placed("r/1", 0).overlapBlocks());
  }

  @Test
  void shouldPullFromDevicesAlone() {
    final FakeWorker decode = new FakeWorker("d").joined(DECODE);
    final FakeWorker prefill = new FakeWorker("p").joined(PREFILL);
    prefill.stored(KvTier.HOST, 0, HASHES.subList(0, 6));
    final Placement placement = placed("r/0", 0);
    assertEquals(decode.id, placement.worker());
    assertEquals(List.of(), placement.sources());
    awaitStat(0, RouterStats::placedPull);
  }

  @Test
  void shouldNameWhereCachedBlocksArePulledFrom() {
    final FakeWorker decode = new FakeWorker("d").joined(DECODE);
    final FakeWorker prefill = new FakeWorker("p").joined(PREFILL);
    prefill.stored(0, HASHES.subList(0, 3));
    place("r/0", 0, Set.of());
    final var locate = (CacheCommand.Locate) cache.receiveMessage();
    assertEquals(HASHES, locate.blocks());
    final var disk = new Placement.BlockSource(new WorkerId("x", 0), KvTier.DISK, 6);
    final var own = new Placement.BlockSource(decode.id, KvTier.HOST, 7);
    locate.replyTo().tell(new CacheCommand.Located(List.of(own, disk)));
    assertEquals(List.of(disk), ((Placed) answers.receiveMessage()).placement().sources());
  }

  @Test
  void shouldNameWhatItKnowsItselfWhenTheCacheIsSilent() {
    new FakeWorker("d").joined(DECODE);
    final FakeWorker prefill = new FakeWorker("p").joined(PREFILL);
    prefill.stored(0, HASHES.subList(0, 3));
    place("r/0", 0, Set.of());
    cache.expectMessageClass(CacheCommand.Locate.class);
    answers.expectNoMessage(Duration.ofMillis(20));
    time.timePasses(SETTINGS.locateTimeout());
    assertEquals(
        List.of(new Placement.BlockSource(prefill.id, KvTier.DEVICE, 3)),
        ((Placed) answers.receiveMessage()).placement().sources());
  }

  @Test
  void shouldLetRequestsWaitForAWorker() {
    place("r/0", 0, Set.of());
    answers.expectNoMessage(Duration.ofMillis(20));
    awaitStat(1, RouterStats::pending);
    final FakeWorker late = new FakeWorker("late").joined(DECODE);
    assertEquals(late.id, ((Placed) answers.receiveMessage()).placement().worker());
    time.timePasses(SETTINGS.pendingTimeout());
    answers.expectNoMessage(Duration.ofMillis(20));
  }

  @Test
  void shouldSayUnavailableWhenNoWorkerComes() {
    new FakeWorker("p").joined(PREFILL);
    place("r/0", 0, Set.of());
    time.timePasses(SETTINGS.pendingTimeout());
    assertRefused(Cause.UNAVAILABLE, "router.decode-workers");
    awaitStat(0, RouterStats::pending);
  }

  @Test
  void shouldRefuseWhenTooManyWait() {
    place("r/0", 0, Set.of());
    place("r/1", 0, Set.of());
    assertRefused(Cause.OVERLOADED, "router.pending-max");
    router.tell(new RouterCommand.Ended(new RequestId("r/0"), 0));
    place("r/1", 0, Set.of());
    answers.expectNoMessage(Duration.ofMillis(20));
  }

  @Test
  void shouldRefuseWhenTooManyAreInFlight() {
    new FakeWorker("a").joined(DECODE);
    for (int i = 0; i < 3; i++) placed("r/" + i, 0);
    place("r/3", 0, Set.of());
    assertRefused(Cause.OVERLOADED, "router.in-flight-max");
    placed("r/2", 1); // A further attempt replaces the one before.
  }

  @Test
  void shouldRefuseWhenAllWorkersAreToBeAvoided() {
    final FakeWorker a = new FakeWorker("a").joined(DECODE);
    final FakeWorker b = new FakeWorker("b").joined(DECODE);
    place("r/0", 0, Set.of(a.id));
    assertEquals(b.id, ((Placed) answers.receiveMessage()).placement().worker());
    place("r/0", 1, Set.of(a.id, b.id));
    assertRefused(Cause.OVERLOADED, "router.decode-workers");
    awaitStat(0, RouterStats::inFlight);
  }

  @Test
  void shouldForgetAWorkerThatIsGone() {
    final FakeWorker a = new FakeWorker("a").joined(DECODE);
    a.stored(0, HASHES);
    placed("r/0", 0);
    a.worker.stop();
    awaitStat(0, RouterStats::workers);
    awaitStat(0, RouterStats::inFlight);
    awaitStat(0, RouterStats::indexedBlocks);
  }

  @Test
  void shouldForgetWhatASessionNodeThatIsGoneHad() {
    new FakeWorker("a").joined(DECODE);
    final TestProbe<BookingCheck> other = testKit.createTestProbe();
    router.tell(place("s/0", 0, Set.of(), answers.ref(), other.ref()));
    router.tell(place("s/1", 0, Set.of(), answers.ref(), other.ref()));
    answers.receiveMessage();
    answers.receiveMessage();
    placed("r/0", 0);
    awaitStat(3, RouterStats::inFlight);
    other.stop();
    awaitStat(1, RouterStats::inFlight);
  }

  @Test
  void shouldAskForADumpWhenEventsAreMissing() {
    final FakeWorker a = new FakeWorker("a").joined(DECODE);
    a.stored(3, HASHES);
    a.worker.expectMessage(new WorkerCommand.DumpKv(router));
    a.report(DECODE, IDLE);
    a.worker.expectMessage(new WorkerCommand.DumpKv(router)); // Still waiting.
    a.dump(4, HASHES.subList(0, 2));
    a.report(DECODE, IDLE);
    a.worker.expectNoMessage(Duration.ofMillis(20));
    assertEquals(2, placed("r/0", 0).overlapBlocks());
    awaitStat(1, RouterStats::kvGaps);
  }

  @Test
  void shouldAskAnUnknownWorkerWhoItIs() {
    final FakeWorker a = new FakeWorker("a");
    a.report(DECODE, IDLE);
    a.worker.expectMessage(new WorkerCommand.Introduce(router));
    a.joined(DECODE);
    assertEquals(a.id, placed("r/0", 0).worker());
  }

  @Test
  void shouldCountReportedLoadThatItHasNotPlaced() {
    final FakeWorker busy = new FakeWorker("a");
    busy.up(DECODE, BUSY);
    final FakeWorker idle = new FakeWorker("b").joined(DECODE);
    assertEquals(idle.id, placed("r/0", 0).worker());
    assertEquals(idle.id, placed("r/1", 0).worker());
    router.tell(new RouterCommand.Ended(new RequestId("r/0"), 0));
    busy.report(DECODE, IDLE); // Its old sequences have ended.
    assertEquals(busy.id, placed("r/2", 0).worker());
  }

  @Test
  void shouldPlaceNothingAtAWorkerThatHasLostItsRole() {
    final FakeWorker a = new FakeWorker("a").joined(DECODE);
    a.report(Set.of(), IDLE);
    place("r/0", 0, Set.of());
    answers.expectNoMessage(Duration.ofMillis(20));
    a.report(DECODE, IDLE);
    assertEquals(a.id, ((Placed) answers.receiveMessage()).placement().worker());
  }

  @Test
  void shouldGiveTheSameAnswerToTheSameQuestion() {
    new FakeWorker("a").joined(DECODE);
    new FakeWorker("b").joined(DECODE);
    final Placement first = placed("r/0", 0);
    for (int i = 0; i < 5; i++) assertEquals(first, placed("r/0", 0));
    awaitStat(1, RouterStats::inFlight);
    assertNotEquals(first.worker(), placed("r/1", 0).worker(), "booked once");
  }

  @Test
  void shouldIgnoreAQuestionThatALaterOneHasOvertaken() {
    new FakeWorker("a").joined(DECODE);
    placed("r/0", 2);
    place("r/0", 1, Set.of());
    answers.expectNoMessage(Duration.ofMillis(20));
    router.tell(new RouterCommand.Ended(new RequestId("r/0"), 1));
    awaitStat(1, RouterStats::inFlight);
  }

  @Test
  void shouldWaitNoLongerWhenTheSameQuestionComesAgain() {
    place("r/0", 0, Set.of());
    awaitStat(1, RouterStats::pending);
    time.timePasses(SETTINGS.pendingTimeout().minusMillis(1));
    place("r/0", 0, Set.of());
    answers.expectNoMessage(Duration.ofMillis(20));
    time.timePasses(Duration.ofMillis(1));
    assertRefused(Cause.UNAVAILABLE, "router.decode-workers");
  }

  @Test
  void shouldAskSessionNodesWhatStillRuns() {
    new FakeWorker("a").joined(DECODE);
    placed("r/0", 0);
    placed("r/1", 4);
    time.timePasses(SETTINGS.checkInterval());
    final Set<BookingCheck.Booked> booked = new HashSet<>();
    while (booked.size() < 2) {
      final List<BookingCheck.Booked> part = sessions.receiveMessage().bookings();
      assertEquals(SETTINGS.checkBookings(), part.size());
      booked.addAll(part);
    }
    assertEquals(
        Set.of(
            new BookingCheck.Booked(new RequestId("r/0"), 0),
            new BookingCheck.Booked(new RequestId("r/1"), 4)),
        booked);
    router.tell(new RouterCommand.Ended(new RequestId("r/0"), 0));
    router.tell(new RouterCommand.Ended(new RequestId("r/1"), 4));
    awaitStat(0, RouterStats::inFlight);
    time.timePasses(SETTINGS.checkInterval());
    sessions.expectNoMessage(Duration.ofMillis(20));
  }

  @Test
  void shouldLetRequestsWaitUntilItHasHadTimeToKnowItsWorkers() {
    final var settling =
        RouterSettings.from(
            ConfigFactory.parseString("settle-time = 1s")
                .withFallback(ConfigFactory.load().getConfig("stator.router")));
    router =
        testKit.spawn(Router.create(settling, cache.ref(), new Random(1), () -> 0, stats::set));
    new FakeWorker("a").joined(DECODE);
    place("r/0", 0, Set.of());
    place("r/1", 0, Set.of());
    answers.expectNoMessage(Duration.ofMillis(20));
    new FakeWorker("b").joined(DECODE);
    time.timePasses(settling.settleTime());
    final var first = ((Placed) answers.receiveMessage()).placement();
    final var second = ((Placed) answers.receiveMessage()).placement();
    assertNotEquals(first.worker(), second.worker());
  }

  @Test
  void shouldPassOverWorkersOnNodesThatCannotBeReached() {
    final FakeWorker a = new FakeWorker("a").joined(DECODE);
    final Address here = a.worker.ref().path().address();
    router.tell(new RouterCommand.NodeUnreachable(new Address("pekko", "other", "host", 1)));
    placed("r/0", 0);
    router.tell(new RouterCommand.NodeUnreachable(here));
    place("r/1", 0, Set.of());
    answers.expectNoMessage(Duration.ofMillis(20));
    awaitStat(1, RouterStats::pending);
    router.tell(new RouterCommand.NodeReachable(here));
    assertEquals(a.id, ((Placed) answers.receiveMessage()).placement().worker());
    awaitStat(0, RouterStats::pending);
  }

  @Test
  void shouldAskForTheActorsOfAWorkerWhenOneHasEnded() {
    final FakeWorker a = new FakeWorker("a").joined(DECODE);
    placed("r/0", 0);
    a.decode.stop();
    a.worker.expectMessage(new WorkerCommand.Introduce(router));
  }

  @Test
  void shouldAnswerAnewWhenTheWorkerOfItsAnswerIsGone() {
    final FakeWorker a = new FakeWorker("a").joined(DECODE);
    placed("r/0", 0);
    a.worker.stop();
    awaitStat(0, RouterStats::workers);
    final FakeWorker b = new FakeWorker("b").joined(DECODE);
    assertEquals(b.id, placed("r/0", 0).worker());
  }

  @Test
  void shouldOrderAPullFromAWorkerThatHasThePromptCached() {
    final FakeWorker a = new FakeWorker("a").joined(DECODE);
    final FakeWorker b = new FakeWorker("b").joined(DECODE);
    a.stored(0, HASHES);
    a.report(Set.of(), IDLE); // It drains, and lends.
    place("r/0", 0, Set.of());
    cache.expectMessageClass(CacheCommand.Locate.class);
    time.timePasses(SETTINGS.locateTimeout());
    final Placement placement = ((Placed) answers.receiveMessage()).placement();
    assertEquals(b.id, placement.worker());
    assertEquals(
        new Placement.PrefillPlan(new Placement.Prefiller(a.id, a.lender.ref()), true, List.of()),
        placement.prefill());
    awaitStat(1, RouterStats::placedPull);
    assertTrue(placed("r/1", 0).prefill().pull());
    cache.expectNoMessage(Duration.ofMillis(20)); // It has just been silent.
    place("r/2", 0, Set.of(a.id));
    assertNull(((Placed) answers.receiveMessage()).placement().prefill());
  }
}
