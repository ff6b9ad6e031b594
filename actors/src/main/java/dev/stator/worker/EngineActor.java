package dev.stator.worker;

import dev.stator.device.Device;
import dev.stator.engine.Admission;
import dev.stator.engine.Engine;
import dev.stator.engine.EngineFailure;
import dev.stator.engine.GenerationRequest;
import dev.stator.engine.RequestId;
import dev.stator.engine.StepReport;
import dev.stator.kv.KvEvent;
import dev.stator.protocol.WorkerDescription;
import dev.stator.protocol.WorkerId;
import dev.stator.transport.BlockGeometry;
import dev.stator.transport.BlockMemory;
import dev.stator.transport.SharedMemory;
import dev.stator.transport.TransferAgent;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;

/**
 * Owns one engine and its device, on a thread of its own. One message is one step, so whatever
 * arrives during a step (a cancel above all) is done before the next.
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

  /** From the engine, to a sequence's owner. */
  sealed interface Event {}

  record Answered(RequestId id, Admission admission) implements Event {}

  /** One step's news of all sequences of this owner. */
  record Stepped(List<StepReport.Progress> progress, List<StepReport.Failure> failures)
      implements Event {}

  /** The device failed; these sequences of this owner have ended. */
  record Broken(List<RequestId> ids, String reason) implements Event {}

  /** From the engine, to its worker. */
  sealed interface Notice {}

  /**
   * @param memoryId the KV blocks' id at the transfer agent
   */
  record Started(WorkerDescription description, int memoryId) implements Notice {}

  record KvHappened(List<KvEvent> events) implements Notice {}

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

  static Behavior<Command> create(Supplier<Engine> factory, Surroundings surroundings) {
    return Behaviors.setup(context -> {
      final Engine engine = factory.get();
      try {
        return new EngineActor(context, engine, surroundings);
      } catch (RuntimeException broken) {
        engine.device().close();
        throw broken;
      }
    });
  }

  private final Engine engine;
  private final Surroundings surroundings;
  private final int memoryId;
  private final Map<RequestId, ActorRef<Event>> owners = new HashMap<>();
  private boolean stepIsDue;
  private int failuresInARow;

  private EngineActor(ActorContext<Command> context, Engine engine, Surroundings surroundings) {
    super(context);
    this.engine = engine;
    this.surroundings = surroundings;
    this.memoryId = surroundings.agent().register(blocksOf(engine.device()));
    surroundings.gauge().loaded(engine.load());
    surroundings.worker().tell(new Started(describe(), memoryId));
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
      case Take take -> take(take);
      case Resume(var id, var filledBlockCount) -> engine.resume(id, filledBlockCount);
      case Release(var id) -> {
        owners.remove(id);
        engine.release(id);
      }
      case Cancel(var id) -> {
        owners.remove(id);
        engine.cancel(id);
      }
      case Step() -> {
        stepIsDue = false;
        if (engine.hasWork()) step();
      }
    }
    if (!(command instanceof Step)) surroundings.gauge().loaded(engine.load());
    if (!stepIsDue && engine.hasWork()) {
      stepIsDue = true;
      getContext().getSelf().tell(new Step());
    }
    return this;
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
    if (admission instanceof Admission.Admitted) owners.put(request.id(), take.owner());
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
    if (!report.events().isEmpty()) {
      surroundings.worker().tell(new KvHappened(report.events()));
    }
  }

  private void tellOwners(StepReport report) {
    final Map<ActorRef<Event>, News> byOwner = new HashMap<>();
    for (StepReport.Progress progress : report.progress()) {
      final boolean ended = progress.finish() != null;
      final ActorRef<Event> owner =
          ended ? owners.remove(progress.id()) : owners.get(progress.id());
      if (owner != null) byOwner.computeIfAbsent(owner, o -> new News()).progress.add(progress);
    }
    for (StepReport.Failure failure : report.failures()) {
      final ActorRef<Event> owner = owners.remove(failure.id());
      if (owner != null) byOwner.computeIfAbsent(owner, o -> new News()).failures.add(failure);
    }
    byOwner.forEach((owner, news) -> owner.tell(new Stepped(news.progress, news.failures)));
  }

  /** Answers of the batch have ended, prefills keep their blocks until their owner cancels. */
  private void onFailure(EngineFailure failure) {
    getContext().getLog().error("Engine of [{}] failed", surroundings.id(), failure);
    surroundings.gauge().loaded(engine.load());
    final Map<ActorRef<Event>, List<RequestId>> byOwner = new HashMap<>();
    for (RequestId id : failure.failedIds()) {
      final ActorRef<Event> owner = owners.remove(id);
      if (owner != null) byOwner.computeIfAbsent(owner, o -> new ArrayList<>()).add(id);
    }
    byOwner.forEach((owner, ids) -> owner.tell(new Broken(ids, failure.getMessage())));
    failuresInARow++;
    if (failuresInARow >= surroundings.failuresMax()) throw failure;
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

  private static BlockMemory blocksOf(Device device) {
    return new BlockMemory() {
      @Override
      public int blockCount() {
        return device.blockCount();
      }

      @Override
      public BlockGeometry geometry() {
        return new BlockGeometry(device.kvLayout().blockBytes(), device.kvLayout().toString());
      }

      @Override
      public MemorySegment block(int blockIndex) {
        return device.block(blockIndex);
      }

      @Override
      public Optional<SharedMemory> shared() {
        return device.kvMemory() instanceof SharedKvMemory memory
            ? Optional.of(memory.shared())
            : Optional.empty();
      }
    };
  }

  /** What one owner hears of a step. */
  private static final class News {
    final List<StepReport.Progress> progress = new ArrayList<>();
    final List<StepReport.Failure> failures = new ArrayList<>();
  }
}
