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
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
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
 *   slot: STARTING ──▶ UP ── worker fails ──▶ PAUSED ── delay ──▶ STARTING, under a new id
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
  private final Map<EngineSlot, Integer> failures = new HashMap<>();
  private final Set<String> startedSlots = new HashSet<>();
  private long incarnation;

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
    final ActorRef<CacheCommand> cache =
        context.spawn(restarting(CacheBlocks.create(settings.cache())), "cache-blocks");
    final ActorRef<RouterCommand> router =
        context.spawn(
            restarting(
                Router.create(settings.router(), cache, parts.random(), parts.board()::publish)),
            "router");
    final ActorRef<PlannerCommand> planner =
        context.spawn(restarting(Planner.create(settings.planner(), decision -> {})), "planner");
    this.hub =
        context.spawn(
            restarting(
                SessionHub.create(
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
    for (EngineSlot slot : parts.slots()) start(slot);
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
      case FromWorker(WorkerLifecycle.WorkerStarted started) -> started(started.id());
      case FromWorker(WorkerLifecycle.WorkerFailed(var id, var reason)) -> {
        if (!startedSlots.contains(id.slot())) {
          status.onFailed("slot " + id.slot() + " cannot start: " + reason);
          return Behaviors.stopped();
        }
      }
      case WorkerEnded(var slot, var startNs) -> startLater(slot, startNs);
      case StartSlot(var slot) -> start(slot);
      case PollTransfers() -> parts.agent().poll();
    }
    return this;
  }

  /** A slot that fails soon after its start waits longer each time. */
  private void startLater(EngineSlot slot, long startNs) {
    final long livedNs = parts.nanoClock().getAsLong() - startNs;
    if (livedNs > parts.settings().restartDelayMax().toNanos()) failures.remove(slot);
    final int count = failures.merge(slot, 1, Integer::sum);
    timers.startSingleTimer(slot, new StartSlot(slot), parts.settings().restartDelay(count));
  }

  private void start(EngineSlot slot) {
    final WorkerId id = new WorkerId(slot.name(), incarnation++);
    final var tools =
        new Worker.Tools(
            parts.agent(), parts.board(), parts.nanoClock(), parts.settings().worker());
    final ActorRef<WorkerCommand> worker =
        getContext()
            .spawn(
                Worker.create(id, slot.roles(), slot.engine(), peers, tools),
                "worker-" + id.incarnation());
    getContext().watchWith(worker, new WorkerEnded(slot, parts.nanoClock().getAsLong()));
  }

  private void started(WorkerId id) {
    startedSlots.add(id.slot());
    if (startedSlots.size() == parts.slots().size()) status.onReady();
  }

  /** The children have ended: nobody uses the transfer layer any more. */
  private Behavior<Command> onStop() {
    parts.agent().close();
    status.onStopped();
    return this;
  }
}
