package dev.stator.cluster;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.stator.cache.CacheBlocks;
import dev.stator.device.simulated.SimulatedDevice;
import dev.stator.engine.EngineSettings;
import dev.stator.engine.LocalEngine;
import dev.stator.engine.SpeculationSettings;
import dev.stator.protocol.CacheCommand;
import dev.stator.protocol.PlannerCommand;
import dev.stator.protocol.RouterCommand;
import dev.stator.protocol.WorkerCommand;
import dev.stator.protocol.WorkerId;
import dev.stator.protocol.WorkerRole;
import dev.stator.request.GenerationCall;
import dev.stator.request.GenerationEvent;
import dev.stator.request.LocalGenerations;
import dev.stator.request.SessionHub;
import dev.stator.router.Router;
import dev.stator.transport.FaultyBackend;
import dev.stator.transport.TransferAgent;
import dev.stator.worker.RouterStats;
import dev.stator.worker.SessionStats;
import dev.stator.worker.StatsBoard;
import dev.stator.worker.TransferFigures;
import dev.stator.worker.Worker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.stream.javadsl.Sink;

/**
 * Two session nodes, a router and workers on simulated devices in one system, with a {@link
 * LossyNetwork} between them and a {@link FaultyBackend} under them. Every few milliseconds
 * something is killed, and started again under a new name.
 */
final class LossyCluster implements AutoCloseable {
  private static final int BLOCKS = 96;
  private static final EngineSettings ENGINE =
      new EngineSettings(
          24,
          8,
          8,
          64,
          64,
          1 << 20,
          64,
          1,
          new SpeculationSettings(SpeculationSettings.Mode.PROMPT_LOOKUP, 4, 1, 2, 8));
  private static final String QUICK =
      """
      pekko.loglevel = WARNING
      stator.router {
        remote-prefill-transfer-share-max = 1e9 # The device computes in no time.
        remote-prefill-min-tokens = 9, remote-prefill-min-share = 0.1, pull-min-blocks = 2
        locate-timeout = 10ms, settle-time = 20ms, check-interval = 40ms, check-bookings = 4
      }
      stator.worker {
        report-interval = 20ms, reconcile-interval = 40ms, reconcile-sequences = 2
        remote-prefill-timeout = 300ms, write-retry-delay = 1ms, take-over-blocks = 2
      }
      stator.session {
        place-interval = 30ms, check-interval = 50ms, retries-max = 1000
        retry-delay = 5ms, retry-delay-max = 40ms
      }
      stator.transport { write-timeout = 60ms, poll-interval = 10ms }
      """;

  /** To what keeps an actor alive. */
  private enum Fate {
    KILL
  }

  private enum Tick {
    POLL,
    KILL_ONE
  }

  final LossyNetwork network;
  final FaultyBackend backend;
  private final ActorTestKit testKit;
  private final NodeSettings settings;
  private final Random random;
  private final TransferAgent agent;
  private final StatsBoard board;
  private final AtomicReference<RouterStats> router = new AtomicReference<>(RouterStats.NONE);
  private final AtomicLong pulls = new AtomicLong();
  private final AtomicLong routerLives = new AtomicLong();
  private final List<AtomicReference<SessionStats>> sessions = new ArrayList<>();
  private final List<LocalGenerations> frontends = new ArrayList<>();
  private final List<ActorRef<Fate>> victims = new CopyOnWriteArrayList<>();
  private final ActorRef<RouterCommand> toRouter;
  private final ActorRef<CacheCommand> toCache;
  private final ActorRef<Object> deaf;
  private final AtomicLong incarnations = new AtomicLong();
  private volatile boolean quiet;

  LossyCluster(long seed, LossyNetwork.Faults faults, FaultyBackend.Faults transferFaults) {
    final Config config =
        ConfigFactory.parseString(QUICK).withFallback(ConfigFactory.load()).resolve();
    testKit = ActorTestKit.create(config);
    settings = NodeSettings.from(config);
    random = new Random(seed);
    network = new LossyNetwork(testKit.system(), faults, new Random(seed + 1));
    backend = new FaultyBackend(transferFaults, new Random(seed + 2));
    agent =
        new TransferAgent(
            "agent", settings.transport(), backend, System::nanoTime, new Random(seed + 3));
    board =
        new StatsBoard(() ->
            new TransferFigures(
                agent.stats().openGrants(),
                agent.stats().inFlightBlocks(),
                agent.stats().sentBytes(),
                agent.stats().receivedBytes(),
                agent.stats().rejectedBlocks()));
    deaf = testKit.spawn(Behaviors.ignore());
    toCache = network.to(testKit.spawn(CacheBlocks.create(settings.cache())));
    final ActorRef<RouterCommand> routerSeat = testKit.spawn(routerSeat(seed));
    toRouter = network.to(routerSeat);
    for (int i = 0; i < 2; i++) startFrontend("f" + i);
    for (int i = 0; i < 2; i++) keepWorker("prefill-" + i, Set.of(WorkerRole.PREFILL));
    for (int i = 0; i < 2; i++) keepWorker("decode-" + i, Set.of(WorkerRole.DECODE));
    keepWorker("both", TestNode.BOTH);
    testKit.spawn(ticker());
  }

  private void startFrontend(String name) {
    final var stats = new AtomicReference<>(SessionStats.NONE);
    sessions.add(stats);
    final var reporting =
        new SessionHub.Reporting(
            testKit.<PlannerCommand>createTestProbe().ref(),
            settings.planner().reportInterval(),
            System::nanoTime);
    final ActorRef<SessionHub.Command> hub =
        testKit.spawn(
            SessionHub.create(
                () -> name, TestNode.MODEL, toRouter, settings.session(), stats::set, reporting));
    frontends.add(new LocalGenerations(hub, settings.session()));
  }

  /** Passes on to the router of the moment; what comes while there is none is lost. */
  private Behavior<RouterCommand> routerSeat(long seed) {
    return Behaviors.setup(context -> {
      final var current = new AtomicReference<ActorRef<RouterCommand>>();
      victims.add(context.spawn(keeper(() -> router(seed), current::set), "keeper"));
      return Behaviors.receiveMessage(message -> {
        if (current.get() != null) current.get().tell(message);
        return Behaviors.same();
      });
    });
  }

  private Behavior<RouterCommand> router(long seed) {
    final long life = routerLives.incrementAndGet();
    return Router.create(
        settings.router(),
        toCache,
        new SplittableRandom(seed + life),
        System::nanoTime,
        stats -> routerSays(life, stats));
  }

  private void routerSays(long life, RouterStats stats) {
    if (life != routerLives.get()) return;
    router.set(stats);
    pulls.accumulateAndGet(stats.placedPull(), Math::max);
  }

  private void keepWorker(String slot, Set<WorkerRole> roles) {
    victims.add(testKit.spawn(keeper(() -> worker(slot, roles), started -> {})));
  }

  private Behavior<WorkerCommand> worker(String slot, Set<WorkerRole> roles) {
    final var peers = new Worker.Peers(toRouter, toCache, deaf.narrow(), deaf.narrow());
    return Worker.create(
        new WorkerId(slot, incarnations.incrementAndGet()),
        roles,
        () ->
            new LocalEngine(
                new SimulatedDevice(
                    BLOCKS, TestNode.BLOCK_SIZE, TestNode.VOCABULARY, TestNode.CONTEXT),
                ENGINE,
                Set.of(TestNode.END_TOKEN)),
        peers,
        new Worker.Tools(agent, board, System::nanoTime, settings.worker()));
  }

  /** Kills its actor when told, and starts the next when it is gone. */
  private static <T> Behavior<Fate> keeper(
      Supplier<Behavior<T>> behavior, Consumer<ActorRef<T>> started) {
    return Behaviors.setup(context -> {
      final var current = new AtomicReference<ActorRef<T>>();
      final Runnable start =
          () -> {
            current.set(context.spawnAnonymous(behavior.get()));
            context.watch(current.get());
            started.accept(current.get());
          };
      start.run();
      return Behaviors.receive(Fate.class)
          .onMessage(
              Fate.class,
              fate -> {
                context.stop(current.get());
                return Behaviors.same();
              })
          .onSignal(
              Terminated.class,
              signal -> {
                start.run();
                return Behaviors.same();
              })
          .build();
    });
  }

  private Behavior<Tick> ticker() {
    return Behaviors.withTimers(timers -> {
      timers.startTimerWithFixedDelay(Tick.POLL, settings.transport().pollInterval());
      timers.startTimerWithFixedDelay(Tick.KILL_ONE, settings.worker().reconcileInterval());
      return Behaviors.receiveMessage(tick -> {
        switch (tick) {
          case POLL -> {
            agent.poll();
            backend.flush();
          }
          case KILL_ONE -> {
            if (!quiet) victims.get(random.nextInt(victims.size())).tell(Fate.KILL);
          }
        }
        return Behaviors.same();
      });
    });
  }

  CompletableFuture<List<GenerationEvent>> start(int frontend, GenerationCall call, int eventsMax) {
    return frontends
        .get(frontend)
        .generate(call)
        .take(eventsMax)
        .runWith(Sink.seq(), testKit.system())
        .toCompletableFuture();
  }

  /** From now on nothing fails. */
  void quiet() {
    quiet = true;
    network.quiet();
  }

  long moves() {
    return sessions.stream().mapToLong(stats -> stats.get().moves()).sum();
  }

  long pulls() {
    return pulls.get();
  }

  /** Nothing is held by anybody. */
  void awaitEmpty() {
    testKit
        .createTestProbe()
        .awaitAssert(
            Duration.ofSeconds(15),
            () -> {
              if (!isEmpty()) throw new AssertionError("not empty: " + figures());
              return null;
            });
  }

  private boolean isEmpty() {
    return sessions.stream().allMatch(stats -> stats.get().active() == 0)
        && router.get().inFlight() == 0
        && router.get().pending() == 0
        && router.get().workers() == 5
        && board.transfer().openGrants() == 0
        && board.transfer().blocksInFlight() == 0
        && board.workers().size() == 5
        && board.workers().stream()
            .allMatch(worker ->
                worker.load().usedBlocks() == 0
                    && worker.load().runningSequences() == 0
                    && worker.load().waitingSequences() == 0)
        && router.get().indexedBlocks()
            == board.workers().stream().mapToLong(worker -> worker.load().cachedBlocks()).sum();
  }

  String figures() {
    return router.get() + "\n" + sessions + "\n" + board.transfer() + "\n" + board.workers();
  }

  @Override
  public void close() {
    testKit.shutdownTestKit();
    agent.close();
    backend.close();
  }
}
