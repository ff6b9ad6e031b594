package dev.stator.worker;

import dev.stator.engine.Admission;
import dev.stator.engine.RequestId;
import dev.stator.engine.StepReport;
import dev.stator.protocol.DecodeCommand;
import dev.stator.protocol.PrefillCommand;
import dev.stator.transport.BlockMove;
import dev.stator.transport.TransferStatus;
import dev.stator.transport.WriteOutcome;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * A worker's prefill role: prompts are computed here, and their blocks leave as they get full.
 *
 * <pre>
 *   Prefill ──▶ COMPUTING ── last block written ──▶ (released, PrefillEnded)
 *                  ├─ write given up, engine refuses ──▶ ENDING ── nothing is read ──▶ (gone, PrefillEnded)
 *                  └─ CancelPrefill, decode gone ──────▶ ENDING ── nothing is read ──▶ (gone)
 * </pre>
 *
 * One write of a prompt is on its way at a time, with the blocks that were full when it left, up to
 * a limit; the engine computes the next chunk meanwhile. Blocks are let go of when nobody reads
 * them any more. Of a prompt of which only cached blocks are wanted, those that are here are kept
 * while they are written, whatever the worker's roles.
 *
 * <p>Every reconcile interval decode workers hear what is done for them, and cancel what they do
 * not know. Spawned once by its worker.
 */
final class PrefillWorker extends AbstractBehavior<PrefillWorker.Command> {
  /** What comes in; the outside speaks {@link PrefillCommand}. */
  sealed interface Command {}

  private record Received(PrefillCommand command) implements Command {}

  /** Whether new work is taken; {@code idle} is told once nothing runs. */
  record Accept(boolean accepts, ActorRef<? super Worker.RoleIdle> idle) implements Command {}

  /** Ends all prompts; their decode workers compute the rest. */
  record Evict(String reason) implements Command {}

  /** Ends the role, unless something runs. */
  record Close() implements Command {}

  private record EngineGone() implements Command {}

  private record FromEngine(EngineActor.Event event) implements Command {}

  private record WriteEnded(RequestId engineId, WriteOutcome outcome) implements Command {}

  private record RetryWrite(RequestId engineId) implements Command {} // Our timer's, as the next.

  private record Reconcile() implements Command {}

  /** A prompt that is computed here. */
  private static final class Prefilling {
    final PrefillCommand.Prefill call;
    final List<BlockMove> waiting = new ArrayList<>(); // Bounded by the grant's blocks.
    List<BlockMove> onTheWay = List.of();
    long writeId;
    int fullBlocks;
    int attempts;
    final SendClock clock = new SendClock();
    boolean computed;
    boolean ending;
    String reason = "all blocks are written";

    Prefilling(PrefillCommand.Prefill call) {
      this.call = call;
    }

    RequestId engineId() {
      return EngineIds.prefill(call.order());
    }
  }

  /** The behaviour as the outside sees it; {@link Accept} passes through. */
  static Behavior<PrefillCommand> create(RoleSurroundings surroundings, boolean accepts) {
    final Behavior<Command> inner =
        Behaviors.setup(context ->
            Behaviors.withTimers(timers -> {
              timers.startTimerWithFixedDelay(
                  new Reconcile(), surroundings.settings().reconcileInterval());
              return new PrefillWorker(context, timers, surroundings, accepts);
            }));
    return Behaviors.transformMessages(
        PrefillCommand.class, inner, builder -> builder.match(PrefillCommand.class, Received::new));
  }

  private final TimerScheduler<Command> timers;
  private final RoleSurroundings surroundings;
  private final ActorRef<EngineActor.Event> fromEngine;
  private final Map<RequestId, Prefilling> byEngineId = new LinkedHashMap<>();
  private final Watched watched;
  private boolean accepts;
  private ActorRef<? super Worker.RoleIdle> toldWhenIdle;

  private PrefillWorker(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      RoleSurroundings surroundings,
      boolean accepts) {
    super(context);
    this.timers = timers;
    this.surroundings = surroundings;
    this.accepts = accepts;
    this.fromEngine = context.messageAdapter(EngineActor.Event.class, FromEngine::new);
    this.watched = new Watched(context);
    context.watchWith(surroundings.engine(), new EngineGone());
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onAnyMessage(this::onMessage)
        .onSignal(Terminated.class, this::onTerminated)
        .build();
  }

  private Behavior<Command> onMessage(Command command) {
    switch (command) {
      case Received(PrefillCommand.Prefill prefill) -> start(prefill);
      case Received(PrefillCommand.CancelPrefill(var order)) ->
          end(byEngineId.get(EngineIds.prefill(order)), "cancelled");
      case Reconcile() -> tellWhatRuns();
      case Accept(var newAccepts, var idle) -> {
        accepts = newAccepts;
        toldWhenIdle = newAccepts ? null : idle;
      }
      case Evict(var reason) -> {
        for (Prefilling prefilling : List.copyOf(byEngineId.values())) end(prefilling, reason);
      }
      case Close() -> {
        if (byEngineId.isEmpty()) return Behaviors.stopped();
      }
      case EngineGone() -> {
        return Behaviors.stopped();
      }
      case FromEngine(EngineActor.Answered(var id, var admission)) -> answered(id, admission);
      case FromEngine(EngineActor.Stepped stepped) -> stepped(stepped);
      case FromEngine(EngineActor.Broken(var ids, var reason)) -> {
        for (RequestId id : ids) end(byEngineId.get(id), reason);
      }
      case WriteEnded(var engineId, var outcome) -> writeEnded(byEngineId.get(engineId), outcome);
      case RetryWrite(var engineId) -> post(byEngineId.get(engineId));
    }
    if (toldWhenIdle != null && byEngineId.isEmpty()) {
      toldWhenIdle.tell(Worker.RoleIdle.PREFILL);
      toldWhenIdle = null;
    }
    return this;
  }

  private void start(PrefillCommand.Prefill call) {
    final Prefilling prefilling = new Prefilling(call);
    final RequestId engineId = prefilling.engineId();
    if (byEngineId.containsKey(engineId)) return; // A repeat.
    if (!accepts && !call.cachedOnly()) {
      tellEnded(prefilling, "not a prefill worker any more");
      return;
    }
    byEngineId.put(engineId, prefilling);
    watched.add(call.replyTo());
    final var kind = call.cachedOnly() ? EngineActor.Kind.LEND : EngineActor.Kind.PREFILL;
    final var request = EngineIds.renamed(call.request(), engineId);
    surroundings.engine().tell(new EngineActor.Take(kind, request, fromEngine));
  }

  private void answered(RequestId engineId, Admission admission) {
    final Prefilling prefilling = byEngineId.get(engineId);
    if (prefilling == null || prefilling.ending) return;
    switch (admission) {
      case Admission.Refused refused ->
          end(
              prefilling,
              refused.limit() + " is " + refused.max() + ", " + refused.value() + " needed");
      case Admission.Admitted(_, var lentBlocks) -> {
        if (!prefilling.call.cachedOnly()) return;
        for (int block : lentBlocks) addFullBlock(prefilling, block);
        computed(prefilling);
        goOn(prefilling);
      }
    }
  }

  private void computed(Prefilling prefilling) {
    prefilling.computed = true;
    prefilling.clock.computed(surroundings.nanoClock().getAsLong());
  }

  private void stepped(EngineActor.Stepped stepped) {
    for (StepReport.Progress progress : stepped.progress()) {
      final Prefilling prefilling = byEngineId.get(progress.id());
      if (prefilling == null || prefilling.ending) continue;
      for (int block : progress.fullBlocks()) addFullBlock(prefilling, block);
      if (progress.finish() != null) computed(prefilling);
      goOn(prefilling);
    }
    for (StepReport.Failure failure : stepped.failures()) {
      end(byEngineId.get(failure.id()), failure.reason());
    }
  }

  /** The decode worker has the blocks before the grant's first, and none behind its last. */
  private void addFullBlock(Prefilling prefilling, int block) {
    final int index = prefilling.fullBlocks - prefilling.call.firstBlockIndex();
    prefilling.fullBlocks++;
    final List<Integer> targets = prefilling.call.grant().blocks();
    if (index < 0 || index >= targets.size()) return;
    prefilling.waiting.add(new BlockMove(block, targets.get(index)));
  }

  private void goOn(Prefilling prefilling) {
    if (!prefilling.onTheWay.isEmpty()) return;
    if (!prefilling.waiting.isEmpty()) {
      final List<BlockMove> next = prefilling.waiting.subList(0, writeSize(prefilling));
      prefilling.onTheWay = List.copyOf(next);
      next.clear();
      prefilling.attempts = 0;
      post(prefilling);
    } else if (prefilling.computed) {
      surroundings.engine().tell(new EngineActor.Release(prefilling.engineId()));
      forget(prefilling);
      tellEnded(prefilling, prefilling.reason);
    }
  }

  private int writeSize(Prefilling prefilling) {
    final int blocksMax =
        Math.min(
            surroundings.settings().writeBlocksMax(), surroundings.agent().inFlightBlocksMax());
    return Math.min(prefilling.waiting.size(), blocksMax);
  }

  private void post(Prefilling prefilling) {
    if (prefilling == null || prefilling.ending) return;
    final RequestId engineId = prefilling.engineId();
    final ActorRef<Command> self = getContext().getSelf();
    prefilling.clock.posted(surroundings.nanoClock().getAsLong());
    prefilling.writeId =
        surroundings
            .agent()
            .write(
                prefilling.call.grant(),
                surroundings.memoryId(),
                prefilling.onTheWay,
                outcome -> self.tell(new WriteEnded(engineId, outcome)));
  }

  private void writeEnded(Prefilling prefilling, WriteOutcome outcome) {
    if (prefilling == null) return;
    final long writeNs = prefilling.clock.ended(surroundings.nanoClock().getAsLong());
    final long bytes = outcome.writtenBlocks() * surroundings.description().blockBytes();
    surroundings.gauge().sent(bytes);
    if (outcome.status() == TransferStatus.OK) surroundings.gauge().wrote(bytes, writeNs);
    if (prefilling.ending) {
      drop(prefilling);
    } else if (outcome.status() == TransferStatus.OK) {
      prefilling.onTheWay = List.of();
      goOn(prefilling);
    } else if (isWorthRetrying(prefilling, outcome.status())) {
      prefilling.onTheWay = outcome.missing();
      final RequestId engineId = prefilling.engineId();
      timers.startSingleTimer(
          engineId, new RetryWrite(engineId), surroundings.settings().writeRetryDelay());
    } else {
      prefilling.onTheWay = List.of();
      end(prefilling, "write failed: " + outcome.status());
    }
  }

  /** Counts the attempt; one that was pushed back is none, and the grant's life bounds those. */
  private boolean isWorthRetrying(Prefilling prefilling, TransferStatus status) {
    return switch (status) {
      case BACK_PRESSURED -> true;
      case BAD_CHECKSUM, WRONG_LENGTH, BUSY, TIMED_OUT ->
          ++prefilling.attempts < surroundings.settings().writeAttemptsMax();
      case OK,
          UNKNOWN_GRANT,
          WRONG_KEY,
          OUT_OF_RANGE,
          WRONG_GEOMETRY,
          UNREACHABLE,
          CANCELLED,
          MALFORMED,
          FAILED ->
          false;
    };
  }

  /** Ends a prefill that will not be finished; its blocks go when nobody reads them. */
  private void end(Prefilling prefilling, String reason) {
    if (prefilling == null || prefilling.ending) return;
    prefilling.ending = true;
    prefilling.reason = reason;
    prefilling.waiting.clear();
    final boolean waitsForRetry = timers.isTimerActive(prefilling.engineId());
    timers.cancel(prefilling.engineId());
    if (prefilling.onTheWay.isEmpty() || waitsForRetry) drop(prefilling);
    else surroundings.agent().cancel(prefilling.writeId);
  }

  private void drop(Prefilling prefilling) {
    surroundings.engine().tell(new EngineActor.Cancel(prefilling.engineId()));
    forget(prefilling);
    tellEnded(prefilling, prefilling.reason);
  }

  private void forget(Prefilling prefilling) {
    byEngineId.remove(prefilling.engineId());
    surroundings.gauge().sendTimed(prefilling.clock.totalNs(), prefilling.clock.exposedNs());
    watched.remove(prefilling.call.replyTo());
  }

  private static void tellEnded(Prefilling prefilling, String reason) {
    final PrefillCommand.Order order = prefilling.call.order();
    prefilling
        .call
        .replyTo()
        .tell(new DecodeCommand.PrefillEnded(order.id(), order.attempt(), order.grantId(), reason));
  }

  private void tellWhatRuns() {
    final Map<ActorRef<DecodeCommand>, List<PrefillCommand.Order>> byWorker = new LinkedHashMap<>();
    for (Prefilling prefilling : byEngineId.values()) {
      if (prefilling.ending) continue;
      byWorker
          .computeIfAbsent(prefilling.call.replyTo(), worker -> new ArrayList<>())
          .add(prefilling.call.order());
    }
    byWorker.forEach((worker, orders) ->
        Parts.of(orders, surroundings.settings().reconcileSequences())
            .forEach(part ->
                worker.tell(
                    new DecodeCommand.Prefilling(part, getContext().getSelf().unsafeUpcast()))));
  }

  private Behavior<Command> onTerminated(Terminated signal) {
    watched.gone(signal.getRef());
    for (Prefilling prefilling : List.copyOf(byEngineId.values())) {
      if (prefilling.call.replyTo().equals(signal.getRef())) end(prefilling, "decode worker gone");
    }
    return this;
  }
}
