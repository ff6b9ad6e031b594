package dev.stator.cluster;

import dev.stator.cache.CacheBlocks;
import dev.stator.planner.Planner;
import dev.stator.protocol.CacheCommand;
import dev.stator.protocol.PlannerCommand;
import dev.stator.protocol.RouterCommand;
import dev.stator.protocol.WorkerCommand;
import dev.stator.protocol.WorkerId;
import dev.stator.request.ServedModel;
import dev.stator.request.SessionHub;
import dev.stator.router.Router;
import dev.stator.transport.TransferAgent;
import dev.stator.worker.StatsBoard;
import dev.stator.worker.Worker;
import dev.stator.worker.WorkerLifecycle;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * Starts a node's actors and keeps its slots filled.
 *
 * <pre>
 *   node: STARTING ── all slots up ──▶ SERVING ── Drain ──▶ DRAINING ── no session left ──▶ (ends)
 *             └── an engine cannot be made ──▶ (ends)            Stop ──────────────────────▶ (ends)
 * </pre>
 */
final class NodeGuardian extends AbstractBehavior<NodeGuardian.Command> {
  /** To the guardian. */
  sealed interface Command {}

  record Drain() implements Command {}

  record Stop() implements Command {}

  private record Drained() implements Command {}

  private record FromWorker(WorkerLifecycle event) implements Command {}

  private record WorkerEnded(EngineSlot slot, long startNs) implements Command {}

  private record StartSlot(EngineSlot slot) implements Command {} // Our own timer's, as the next.

  private record PollTransfers() implements Command {}

  /** What a node is made of, besides its actors. */
  record Parts(
      ServedModel model,
      List<EngineSlot> slots,
      NodeSettings settings,
      TransferAgent agent,
      StatsBoard board,
      LongSupplier nanoClock,
      RandomGenerator random) {}

  static Behavior<Command> create(Parts parts, NodeStatus status) {
    return Behaviors.setup(context ->
        Behaviors.withTimers(timers -> new NodeGuardian(context, timers, parts, status)));
  }

  private final TimerScheduler<Command> timers;
  private final Parts parts;
  private final NodeStatus status;
  private final ActorRef<SessionHub.Command> hub;
  private final Worker.Peers peers;
  private final SlotKeeper<Command> slots;

  private NodeGuardian(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      Parts parts,
      NodeStatus status) {
    super(context);
    this.timers = timers;
    this.parts = parts;
    this.status = status;
    final NodeSettings settings = parts.settings();
    final String hubLife = Long.toUnsignedString(parts.random().nextLong(), Character.MAX_RADIX);
    final AtomicLong hubs = new AtomicLong();
    final ActorRef<CacheCommand> cache =
        context.spawn(restarting(CacheBlocks.create(settings.cache())), "cache-blocks");
    final ActorRef<RouterCommand> router =
        context.spawn(
            restarting(
                Router.create(
                    settings.router(),
                    cache,
                    parts.random(),
                    parts.nanoClock(),
                    parts.board()::publish)),
            "router");
    final ActorRef<PlannerCommand> planner =
        context.spawn(restarting(Planner.create(settings.planner(), decision -> {})), "planner");
    this.hub =
        context.spawn(
            restarting(
                SessionHub.create(
                    () -> hubLife + "-" + hubs.incrementAndGet(),
                    parts.model(),
                    router,
                    settings.session(),
                    parts.board()::publish,
                    new SessionHub.Reporting(
                        planner, settings.planner().reportInterval(), parts.nanoClock()))),
            "sessions");
    this.peers =
        new Worker.Peers(
            router, cache, planner, context.messageAdapter(WorkerLifecycle.class, FromWorker::new));
    this.slots =
        new SlotKeeper<>(
            context,
            timers,
            new SlotKeeper.Tools<>(
                settings, parts.nanoClock(), this::worker, WorkerEnded::new, StartSlot::new),
            parts.slots().size());
    parts.slots().forEach(slots::start);
    timers.startTimerWithFixedDelay(
        new PollTransfers(), parts.settings().transport().pollInterval());
    status.onOpened(hub);
  }

  private static <T> Behavior<T> restarting(Behavior<T> behavior) {
    return Behaviors.supervise(behavior).onFailure(SupervisorStrategy.restart());
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onAnyMessage(this::onMessage)
        .onSignal(PostStop.class, signal -> onStop())
        .build();
  }

  private Behavior<Command> onMessage(Command command) {
    switch (command) {
      case Drain() -> {
        final ActorRef<Done> drained =
            getContext().messageAdapter(Done.class, done -> new Drained());
        hub.tell(new SessionHub.Drain(drained));
      }
      case Stop(), Drained() -> {
        return Behaviors.stopped();
      }
      case FromWorker(WorkerLifecycle.WorkerStarted started) -> {
        if (slots.started(started.id())) status.onReady();
      }
      case FromWorker(WorkerLifecycle.WorkerFailed(var id, var reason)) -> {
        if (!slots.hasBeenUp(id)) {
          status.onFailed("slot " + id.slot() + " cannot start: " + reason);
          return Behaviors.stopped();
        }
      }
      case WorkerEnded(var slot, var startNs) -> slots.ended(slot, startNs);
      case StartSlot(var slot) -> slots.start(slot);
      case PollTransfers() -> parts.agent().poll();
    }
    return this;
  }

  private Behavior<WorkerCommand> worker(EngineSlot slot, long start) {
    return Worker.create(
        new WorkerId(slot.name(), start),
        slot.roles(),
        slot.engine(),
        peers,
        new Worker.Tools(
            parts.agent(), parts.board(), parts.nanoClock(), parts.settings().worker()));
  }

  /** The children have ended: nobody uses the transfer layer any more. */
  private Behavior<Command> onStop() {
    parts.agent().close();
    status.onStopped();
    return this;
  }
}
