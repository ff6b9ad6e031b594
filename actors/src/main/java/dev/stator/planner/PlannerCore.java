package dev.stator.planner;

import dev.stator.engine.EngineLoad;
import dev.stator.protocol.StepSums;
import dev.stator.protocol.TrafficReport;
import dev.stator.protocol.WorkerDescription;
import dev.stator.protocol.WorkerId;
import dev.stator.protocol.WorkerRole;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * All of the planner that is not messages: what is known, what is under way, what is decided.
 *
 * <pre>
 *   (none) ── decided ──▶ UNDER WAY ── taken │ worker gone │ move-timeout ──▶ (none)
 * </pre>
 *
 * Knows no clock: {@link #endInterval} is called once an interval. Whoever starts anew rebuilds all
 * of it from the next reports; a worker keeps the roles it has taken. One thread.
 */
public final class PlannerCore {
  private final PlannerSettings settings;
  private final PoolWatch watch;
  private final SizingModel model;
  private final Map<WorkerId, Long> underWay = new HashMap<>(); // To the interval of its end.
  private final long timeoutIntervals;
  private long interval;

  public PlannerCore(PlannerSettings settings) {
    this.settings = settings;
    this.watch = new PoolWatch(settings);
    this.model = new SizingModel(settings);
    this.timeoutIntervals =
        Math.ceilDiv(settings.moves().timeout().toNanos(), settings.interval().toNanos());
  }

  /** A worker has reported; {@code false} when it was not known. */
  public boolean reported(WorkerId id, Set<WorkerRole> roles, EngineLoad load) {
    return watch.reported(id, roles, load);
  }

  public void described(WorkerDescription description) {
    watch.described(description);
  }

  /** A worker's steps since its start. */
  public void worked(WorkerId id, StepSums total) {
    watch.worked(id, total);
  }

  /** A frontend's traffic since its start. */
  public void asked(TrafficReport total) {
    watch.asked(total);
  }

  /** A moved worker has finished what it had. */
  public void taken(WorkerId id) {
    underWay.remove(id);
  }

  /** A worker is gone. */
  public void gone(WorkerId id) {
    underWay.remove(id);
    watch.gone(id);
  }

  /** Moves without an answer yet. */
  public Set<WorkerId> underWay() {
    return Set.copyOf(underWay.keySet());
  }

  /**
   * Ends an interval; the moves of the decisions are under way from now on, unless this is a dry
   * run.
   */
  public List<PlannerDecision> endInterval() {
    interval++;
    underWay.values().removeIf(end -> end <= interval);
    final List<PlannerDecision> decisions = model.decide(watch.endInterval(), underWay.keySet());
    if (settings.dryRun()) return decisions;
    for (PlannerDecision decision : decisions) {
      if (decision instanceof PlannerDecision.Move move) {
        underWay.put(move.worker(), interval + timeoutIntervals);
      }
    }
    return decisions;
  }
}
