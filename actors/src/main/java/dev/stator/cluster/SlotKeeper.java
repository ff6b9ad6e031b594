package dev.stator.cluster;

import dev.stator.protocol.WorkerCommand;
import dev.stator.protocol.WorkerId;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * Keeps a node's slots filled. A part of the node's guardian, and on its thread.
 *
 * <pre>
 *   slot: STARTING ──▶ UP ── worker fails ──▶ PAUSED ── delay ──▶ STARTING, under a new id
 * </pre>
 *
 * @param <C> what the guardian takes
 */
final class SlotKeeper<C> {
  /**
   * How the keeper works.
   *
   * @param worker makes a slot's worker
   * @param ended the guardian's message for a worker that has ended, with its slot and start time
   * @param start the guardian's message when a slot's pause is over
   */
  record Tools<C>(
      NodeSettings settings,
      LongSupplier nanoClock,
      BiFunction<EngineSlot, Long, Behavior<WorkerCommand>> worker,
      BiFunction<EngineSlot, Long, C> ended,
      Function<EngineSlot, C> start) {}

  private final ActorContext<C> context;
  private final TimerScheduler<C> timers;
  private final Tools<C> tools;
  private final int slotCount;
  private final Map<EngineSlot, Integer> failures = new HashMap<>();
  private final Set<String> startedSlots = new HashSet<>();
  private final Map<EngineSlot, ActorRef<WorkerCommand>> workers = new LinkedHashMap<>();
  private long starts;
  private boolean closing;

  SlotKeeper(ActorContext<C> context, TimerScheduler<C> timers, Tools<C> tools, int slotCount) {
    this.context = context;
    this.timers = timers;
    this.tools = tools;
    this.slotCount = slotCount;
  }

  void start(EngineSlot slot) {
    if (closing) return;
    final long start = starts++;
    final ActorRef<WorkerCommand> worker =
        context.spawn(tools.worker().apply(slot, start), "worker-" + start);
    workers.put(slot, worker);
    context.watchWith(worker, tools.ended().apply(slot, tools.nanoClock().getAsLong()));
  }

  /** A slot that fails soon after its start waits longer each time. Returns the former worker. */
  ActorRef<WorkerCommand> ended(EngineSlot slot, long startNs) {
    final ActorRef<WorkerCommand> worker = workers.remove(slot);
    if (closing) return worker;
    final long livedNs = tools.nanoClock().getAsLong() - startNs;
    if (livedNs > tools.settings().restartDelayMax().toNanos()) failures.remove(slot);
    final int count = failures.merge(slot, 1, Integer::sum);
    timers.startSingleTimer(slot, tools.start().apply(slot), tools.settings().restartDelay(count));
    return worker;
  }

  /** Whether all slots have been up by now. */
  boolean started(WorkerId id) {
    startedSlots.add(id.slot());
    return startedSlots.size() == slotCount;
  }

  /** Whether the slot has ever been up. */
  boolean hasBeenUp(WorkerId id) {
    return startedSlots.contains(id.slot());
  }

  /** No slot is started from now on. */
  void close() {
    closing = true;
  }

  Collection<ActorRef<WorkerCommand>> workers() {
    return List.copyOf(workers.values());
  }
}
