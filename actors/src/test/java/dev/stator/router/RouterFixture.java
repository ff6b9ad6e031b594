package dev.stator.router;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.stator.engine.EngineLoad;
import dev.stator.engine.RequestId;
import dev.stator.kv.BlockHash;
import dev.stator.kv.BlockHasher;
import dev.stator.kv.KvEvent;
import dev.stator.protocol.BookingCheck;
import dev.stator.protocol.CacheCommand;
import dev.stator.protocol.DecodeCommand;
import dev.stator.protocol.KvBatch;
import dev.stator.protocol.KvDumpPart;
import dev.stator.protocol.KvTier;
import dev.stator.protocol.Place;
import dev.stator.protocol.Placement;
import dev.stator.protocol.PlacementAnswer;
import dev.stator.protocol.PlacementAnswer.Cause;
import dev.stator.protocol.PlacementAnswer.NotPlaced;
import dev.stator.protocol.PlacementAnswer.Placed;
import dev.stator.protocol.PrefillCommand;
import dev.stator.protocol.RouterCommand;
import dev.stator.protocol.WorkRates;
import dev.stator.protocol.WorkerCommand;
import dev.stator.protocol.WorkerDescription;
import dev.stator.protocol.WorkerId;
import dev.stator.protocol.WorkerReport;
import dev.stator.protocol.WorkerRole;
import dev.stator.protocol.WorkerUp;
import dev.stator.worker.RouterStats;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.ToLongFunction;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.LogCapturingExtension;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.extension.ExtendWith;

/** A router, and workers, sessions and a cache that are played. */
@ExtendWith(LogCapturingExtension.class)
abstract class RouterFixture {
  static final RouterSettings SETTINGS =
      RouterSettings.from(
          ConfigFactory.parseString(
                  """
                  in-flight-max = 3
                  pending-max = 1
                  pending-timeout = 10s
                  remote-prefill-min-tokens = 16
                  pull-min-blocks = 2
                  settle-time = 0s
                  check-bookings = 1
                  """)
              .withFallback(ConfigFactory.load().getConfig("stator.router")));
  static final Set<WorkerRole> DECODE = Set.of(WorkerRole.DECODE);
  static final Set<WorkerRole> PREFILL = Set.of(WorkerRole.PREFILL);
  static final EngineLoad IDLE = new EngineLoad(0, 0, 0, 0, 100, 0, 0, 0, 0, 0, 0, 0, 0);
  static final EngineLoad BUSY = new EngineLoad(5, 0, 90, 0, 100, 40, 0, 0, 0, 0, 0, 0, 0);
  static final int[] TOKENS = new Random(1).ints(32, 0, 50).toArray();
  static final List<BlockHash> HASHES = new BlockHasher("f", 4).hashAll("", TOKENS);

  final ActorTestKit testKit = ActorTestKit.create(ManualTime.config());
  final ManualTime time = ManualTime.get(testKit.system());
  final TestProbe<PlacementAnswer> answers = testKit.createTestProbe();
  final TestProbe<BookingCheck> sessions = testKit.createTestProbe();
  final TestProbe<CacheCommand> cache = testKit.createTestProbe();
  final AtomicReference<RouterStats> stats = new AtomicReference<>(RouterStats.NONE);
  ActorRef<RouterCommand> router =
      testKit.spawn(Router.create(SETTINGS, cache.ref(), new Random(1), () -> 0, stats::set));

  /** A worker played by probes. */
  final class FakeWorker {
    final WorkerId id;
    final TestProbe<WorkerCommand> worker = testKit.createTestProbe();
    final TestProbe<DecodeCommand> decode = testKit.createTestProbe();
    final TestProbe<PrefillCommand> prefill = testKit.createTestProbe();
    final TestProbe<PrefillCommand> lender = testKit.createTestProbe();

    final String numerics;

    FakeWorker(String slot) {
      this(slot, "f");
    }

    FakeWorker(String slot, String numerics) {
      this.id = new WorkerId(slot, 0);
      this.numerics = numerics;
    }

    void up(Set<WorkerRole> roles, EngineLoad load) {
      final var description = new WorkerDescription(id, numerics, 4, 64, 100, 1000);
      router.tell(
          new WorkerUp(
              description, roles, load, worker.ref(), decode.ref(), prefill.ref(), lender.ref()));
    }

    /** Joins and answers the router's request for a dump. */
    FakeWorker joined(Set<WorkerRole> roles) {
      up(roles, IDLE);
      worker.expectMessage(new WorkerCommand.DumpKv(router));
      dump(0, List.of());
      return this;
    }

    void dump(long nextSequence, List<BlockHash> blocks) {
      dump(KvTier.DEVICE, nextSequence, blocks);
    }

    void dump(KvTier tier, long nextSequence, List<BlockHash> blocks) {
      router.tell(new KvDumpPart(id, nextSequence, tier, 0, true, blocks));
    }

    void stored(long sequence, List<BlockHash> blocks) {
      stored(KvTier.DEVICE, sequence, blocks);
    }

    void stored(KvTier tier, long sequence, List<BlockHash> blocks) {
      final List<KvEvent> events = List.of(new KvEvent.Stored(null, blocks));
      router.tell(new KvBatch(id, sequence, tier, events, worker.ref()));
    }

    void report(Set<WorkerRole> roles, EngineLoad load) {
      router.tell(new WorkerReport(id, roles, load, WorkRates.UNKNOWN, worker.ref()));
    }
  }

  @AfterEach
  void shutDown() {
    testKit.shutdownTestKit();
  }

  Placement placed(String id, int attempt) {
    place(id, attempt, Set.of());
    final PlacementAnswer answer = answers.receiveMessage();
    assertTrue(answer instanceof Placed, answer.toString());
    assertEquals(new RequestId(id), answer.id());
    assertEquals(attempt, answer.attempt());
    return ((Placed) answer).placement();
  }

  void place(String id, int attempt, Set<WorkerId> avoid) {
    router.tell(place(id, attempt, avoid, answers.ref()));
  }

  Place place(String id, int attempt, Set<WorkerId> avoid, ActorRef<PlacementAnswer> replyTo) {
    return place(id, attempt, avoid, replyTo, sessions.ref());
  }

  static Place place(
      String id,
      int attempt,
      Set<WorkerId> avoid,
      ActorRef<PlacementAnswer> replyTo,
      ActorRef<BookingCheck> sessions) {
    return new Place(new RequestId(id), attempt, TOKENS, 8, "", "", avoid, replyTo, sessions);
  }

  void assertRefused(Cause cause, String limit) {
    final NotPlaced refusal = (NotPlaced) answers.receiveMessage();
    assertEquals(List.of(cause, limit), List.of(refusal.cause(), refusal.limit()));
    assertTrue(refusal.value() > refusal.max(), refusal.toString());
  }

  /** Figures follow the answer. */
  void awaitStat(long expected, ToLongFunction<RouterStats> stat) {
    answers.awaitAssert(() -> {
      assertEquals(expected, stat.applyAsLong(stats.get()));
      return null;
    });
  }
}
