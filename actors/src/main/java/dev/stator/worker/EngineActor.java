package dev.stator.worker;

import dev.stator.device.Device;
import dev.stator.engine.Admission;
import dev.stator.engine.Engine;
import dev.stator.engine.EngineFailure;
import dev.stator.engine.GenerationRequest;
import dev.stator.engine.RequestId;
import dev.stator.engine.StepReport;
import dev.stator.kv.KvEvent;
import dev.stator.protocol.KvTier;
import dev.stator.protocol.WorkerDescription;
import dev.stator.protocol.WorkerId;
import dev.stator.transport.TransferAgent;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * Owns one engine and its device, on a thread of its own. One message is one step, so whatever
 * arrives during a step (a cancel above all) is done before the next. What an owner has here ends
 * with the owner.
 *
 * <pre>
 *   IDLE ──work arrives──▶ STEPPING ──no work left──▶ IDLE
 * </pre>
 *
 * Makes the engine when it starts, closes the device when it ends. Spawned once by its worker, on
 * {@code stator.engine-dispatcher}.
 */
final class EngineActor extends AbstractBehavior<EngineActor.Command> {
  /** To the engine. */
  sealed interface Command {}

  /** How a sequence is to be taken. */
  enum Kind {
    /** Prompt and answer. */
    GENERATE,
    /** Prompt by somebody else, answer here; waits for {@link Resume}. */
    RESERVE,
    /** Prompt for somebody else; stays until {@link Release}. */
    PREFILL,
    /** The cached part of a prompt for somebody else; stays until {@link Release}. */
    LEND
  }

  /** Takes a sequence; {@code owner} gets {@link Answered}, then its news. */
  record Take(Kind kind, GenerationRequest request, ActorRef<Event> owner) implements Command {}

  record Resume(RequestId id, int filledBlockCount) implements Command {}

  record Release(RequestId id) implements Command {}

  record Cancel(RequestId id) implements Command {}

  private record Step() implements Command {} // Our own message; at most one is on its way.

  private record LetGo() implements Command {} // Our own timer's message.

  private record Woken() implements Command {} // The engine's, from any thread.

  /** From the engine, to a sequence's owner. */
  sealed interface Event {}

  record Answered(RequestId id, Admission admission) implements Event {}

  /** One step's news of all sequences of this owner. */
  record Stepped(List<StepReport.Progress> progress, List<StepReport.Failure> failures)
      implements Event {}

  /** The device failed; these sequences of this owner have ended, prefills want a Cancel. */
  record Broken(List<RequestId> ids, String reason) implements Event {}

  /** From the engine, to its worker. */
  sealed interface Notice {}

  /**
   * @param memoryId the KV blocks' id at the transfer agent
   */
  record Started(WorkerDescription description, int memoryId) implements Notice {}

  record KvHappened(KvTier tier, List<KvEvent> events) implements Notice {}

  /**
   * What an engine's surroundings are.
   *
   * @param worker hears {@link Notice}s
   */
  record Surroundings(
      WorkerId id,
      TransferAgent agent,
      WorkerGauge gauge,
      LongSupplier nanoClock,
      int failuresMax,
      ActorRef<? super Notice> worker) {}

  /** A sequence in the engine: whose it is, and which blocks others may be writing or reading. */
  private static final class Held {
    final Kind kind;
    final ActorRef<Event> owner;
    final Set<Integer> lentBlocks;
    boolean isOrphan;

    Held(Take take, Admission.Admitted admitted) {
      this.kind = take.kind();
      this.owner = take.owner();
      this.lentBlocks = new HashSet<>(admitted.blocksToFill());
    }
  }

  static Behavior<Command> create(Supplier<Engine> factory, Surroundings surroundings) {
    return Behaviors.setup(context ->
        Behaviors.withTimers(timers -> {
          final Engine engine = factory.get();
          try {
            return new EngineActor(context, timers, engine, surroundings);
          } catch (RuntimeException broken) {
            engine.device().close();
            throw broken;
          }
        }));
  }

  private final TimerScheduler<Command> timers;
  private final Engine engine;
  private final Surroundings surroundings;
  private final int memoryId;
  private final Map<RequestId, Held> held = new HashMap<>();
  private boolean stepIsDue;
  private int failuresInARow;

  private EngineActor(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      Engine engine,
      Surroundings surroundings) {
    super(context);
    context.setLoggerName(EngineActor.class);
    this.timers = timers;
    this.engine = engine;
    this.surroundings = surroundings;
    this.memoryId = surroundings.agent().register(DeviceBlocks.of(engine.device()));
    final ActorRef<Command> self = context.getSelf();
    engine.onWork(() -> self.tell(new Woken()));
    surroundings.gauge().loaded(engine.load());
    surroundings.worker().tell(new Started(describe(), memoryId));
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onAnyMessage(this::onMessage)
        .onSignal(Terminated.class, this::onOwnerGone)
        .onSignal(PostStop.class, signal -> onStop())
        .build();
  }

  private Behavior<Command> onMessage(Command command) {
    switch (command) {
      case Take take -> take(take);
      case Resume(var id, var filledBlockCount) -> {
        final Held resumed = held.get(id);
        if (resumed != null) resumed.lentBlocks.clear();
        engine.resume(id, filledBlockCount);
      }
      case Release(var id) -> {
        held.remove(id);
        engine.release(id);
      }
      case Cancel(var id) -> {
        held.remove(id);
        engine.cancel(id);
      }
      case Step() -> {
        stepIsDue = false;
        if (engine.hasWork()) step();
      }
      case LetGo() -> letGoOfOrphans();
      case Woken() -> {} // To look for work, below.
    }
    if (!(command instanceof Step)) surroundings.gauge().loaded(engine.load());
    stepWhenThereIsWork();
    return this;
  }

  private void stepWhenThereIsWork() {
    if (stepIsDue || !engine.hasWork()) return;
    stepIsDue = true;
    getContext().getSelf().tell(new Step());
  }

  private void take(Take take) {
    final GenerationRequest request = take.request();
    final Admission admission =
        switch (take.kind()) {
          case GENERATE -> engine.submit(request);
          case RESERVE -> engine.reserve(request);
          case PREFILL -> engine.prefill(request);
          case LEND -> engine.lend(request);
        };
    if (admission instanceof Admission.Admitted admitted) {
      held.put(request.id(), new Held(take, admitted));
      getContext().watch(take.owner()); // Again is once; owners are the few roles of a slot.
    }
    take.owner().tell(new Answered(request.id(), admission));
  }

  private void step() {
    final long startNs = surroundings.nanoClock().getAsLong();
    final StepReport report;
    try {
      report = engine.step();
    } catch (EngineFailure failure) {
      onFailure(failure);
      return;
    }
    if (report.batchTokenCount() > 0) failuresInARow = 0; // Else the device has done nothing.
    final double seconds = (surroundings.nanoClock().getAsLong() - startNs) / 1e9;
    surroundings.gauge().stepped(report, engine.load(), seconds);
    tellOwners(report);
    tellWorker(KvTier.DEVICE, report.events());
    tellWorker(KvTier.HOST, report.hostEvents());
  }

  private void tellWorker(KvTier tier, List<KvEvent> events) {
    if (!events.isEmpty()) surroundings.worker().tell(new KvHappened(tier, events));
  }

  private void tellOwners(StepReport report) {
    final Map<ActorRef<Event>, News> byOwner = new HashMap<>();
    for (StepReport.Progress progress : report.progress()) {
      final Held sequence = held.get(progress.id());
      if (sequence == null) continue;
      if (sequence.kind == Kind.PREFILL) sequence.lentBlocks.addAll(progress.fullBlocks());
      else if (progress.finish() != null) held.remove(progress.id());
      byOwner.computeIfAbsent(sequence.owner, o -> new News()).progress.add(progress);
    }
    for (StepReport.Failure failure : report.failures()) {
      final Held sequence = held.remove(failure.id());
      if (sequence == null) continue;
      byOwner.computeIfAbsent(sequence.owner, o -> new News()).failures.add(failure);
    }
    byOwner.forEach((owner, news) -> owner.tell(new Stepped(news.progress, news.failures)));
  }

  /** Answers of the batch have ended, prefills keep their blocks until their owner cancels. */
  private void onFailure(EngineFailure failure) {
    getContext().getLog().error("Engine of [{}] failed", surroundings.id(), failure);
    surroundings.gauge().loaded(engine.load());
    final Map<ActorRef<Event>, List<RequestId>> byOwner = new HashMap<>();
    for (RequestId id : failure.failedIds()) {
      final Held sequence = held.get(id);
      if (sequence == null) continue;
      if (sequence.kind != Kind.PREFILL) held.remove(id);
      byOwner.computeIfAbsent(sequence.owner, o -> new ArrayList<>()).add(id);
    }
    byOwner.forEach((owner, ids) -> owner.tell(new Broken(ids, failure.getMessage())));
    failuresInARow++;
    if (failuresInARow >= surroundings.failuresMax()) throw failure;
  }

  private Behavior<Command> onOwnerGone(Terminated signal) {
    for (Held sequence : held.values()) {
      if (sequence.owner.equals(signal.getRef())) sequence.isOrphan = true;
    }
    letGoOfOrphans();
    surroundings.gauge().loaded(engine.load());
    stepWhenThereIsWork();
    return this;
  }

  /** Nobody else would: frees their blocks as soon as nobody writes or reads them. */
  private void letGoOfOrphans() {
    for (RequestId id : List.copyOf(held.keySet())) {
      final Held sequence = held.get(id);
      if (!sequence.isOrphan) continue;
      if (surroundings.agent().withdraw(memoryId, sequence.lentBlocks) > 0) {
        timers.startSingleTimer(new LetGo(), surroundings.agent().pollInterval());
        continue;
      }
      held.remove(id);
      engine.cancel(id);
    }
  }

  private Behavior<Command> onStop() {
    surroundings
        .agent()
        .deregister(memoryId); // Before the memory goes: nobody writes into it any more.
    surroundings.gauge().close();
    engine.device().close();
    return this;
  }

  private WorkerDescription describe() {
    final Device device = engine.device();
    return new WorkerDescription(
        surroundings.id(),
        device.numericsFingerprint(),
        device.kvLayout().blockSize(),
        device.kvLayout().blockBytes(),
        device.blockCount(),
        device.contextLength());
  }

  /** What one owner hears of a step. */
  private static final class News {
    final List<StepReport.Progress> progress = new ArrayList<>();
    final List<StepReport.Failure> failures = new ArrayList<>();
  }
}
