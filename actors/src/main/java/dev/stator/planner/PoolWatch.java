package dev.stator.planner;

import dev.stator.engine.EngineLoad;
import dev.stator.protocol.LogCounts;
import dev.stator.protocol.StepSums;
import dev.stator.protocol.TrafficReport;
import dev.stator.protocol.WorkerDescription;
import dev.stator.protocol.WorkerId;
import dev.stator.protocol.WorkerRole;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Gathers what workers and frontends report, and says once an interval what it comes to. Reports
 * are totals: the first of a sender only tells where to count from, so a planner that starts anew
 * knows the traffic an interval later. One thread.
 */
public final class PoolWatch {
  private static final double PREFILL_STEPS_KEPT = 4_000; // Minutes of a busy pool.
  private static final double DECODE_STEPS_KEPT = 20_000;

  /**
   * Of steps, what is left an interval with steps later: a slot's code is compiled while it runs,
   * neighbours come and go.
   */
  private static final double STEPS_FADE = 0.8;

  private static final double CACHE_ALPHA = 0.3; // Weight of an interval in the uncached share.
  private static final int SILENT_INTERVALS_MAX = 3; // Of a frontend; then it is gone.
  private static final int USUAL_BLOCK_SIZE = 16; // Until a worker has said another.

  /** A frontend's totals: the latest, and those that have been counted. */
  private static final class Source {
    TrafficReport counted;
    TrafficReport latest;
    int silentIntervals;

    Source(TrafficReport first) {
      counted = first;
      latest = first;
    }
  }

  private final PlannerSettings settings;
  private final LoadForecast forecast;
  private final Map<WorkerId, Situation.Slot> slots = new LinkedHashMap<>();
  private final Map<WorkerId, EngineLoad> countedLoads = new HashMap<>();
  private final Map<WorkerId, StepSums> countedSteps = new HashMap<>();
  private final Map<String, Source> sources = new HashMap<>();
  private StepSums prefillSteps = StepSums.NONE;
  private StepSums decodeSteps = StepSums.NONE;
  private StepSums newPrefillSteps = StepSums.NONE; // Of this interval.
  private StepSums newDecodeSteps = StepSums.NONE;
  private double queriedTokens;
  private double hitTokens;
  private int blockSize = USUAL_BLOCK_SIZE;

  public PoolWatch(PlannerSettings settings) {
    this.settings = settings;
    final PlannerSettings.Forecasting forecasting = settings.forecasting();
    this.forecast =
        new LoadForecast(forecasting.alpha(), forecasting.beta(), forecasting.trendDamping());
  }

  /** A worker has reported; {@code false} when it was not known. */
  public boolean reported(WorkerId id, Set<WorkerRole> roles, EngineLoad load) {
    countedLoads.putIfAbsent(id, load);
    return slots.put(id, new Situation.Slot(id, roles, load)) != null;
  }

  public void described(WorkerDescription description) {
    blockSize = description.blockSize();
  }

  /** A worker is gone. */
  public void gone(WorkerId id) {
    slots.remove(id);
    countedLoads.remove(id);
    countedSteps.remove(id);
  }

  /** A worker's steps since its start. */
  public void worked(WorkerId id, StepSums total) {
    final Situation.Slot slot = slots.get(id);
    if (slot == null) return;
    final StepSums before = countedSteps.put(id, total);
    if (before == null) return;
    final StepSums steps = total.minus(before);
    if (steps.steps() <= 0) return;
    if (slot.isOnly(WorkerRole.PREFILL)) {
      newPrefillSteps = newPrefillSteps.plus(steps);
    } else {
      newDecodeSteps = newDecodeSteps.plus(steps);
    }
  }

  private void countSteps() {
    prefillSteps = window(prefillSteps, newPrefillSteps, PREFILL_STEPS_KEPT);
    decodeSteps = window(decodeSteps, newDecodeSteps, DECODE_STEPS_KEPT);
    newPrefillSteps = StepSums.NONE;
    newDecodeSteps = StepSums.NONE;
  }

  private static StepSums window(StepSums kept, StepSums more, double stepsMax) {
    if (more.steps() <= 0) return kept;
    final StepSums sum = kept.times(STEPS_FADE).plus(more);
    return sum.steps() <= stepsMax ? sum : sum.times(stepsMax / sum.steps());
  }

  /** A frontend's traffic since its start. */
  public void asked(TrafficReport total) {
    final Source source = sources.computeIfAbsent(total.source(), name -> new Source(total));
    source.latest = total;
    source.silentIntervals = -1;
  }

  /** Ends an interval. */
  public Situation endInterval() {
    final TrafficReport traffic = countTraffic();
    countCache();
    countSteps();
    return new Situation(
        new ArrayList<>(slots.values()),
        forecast.intervals() < settings.forecasting().intervalsMin()
            ? Optional.empty()
            : forecast.ahead(settings.forecasting().horizonIntervals(settings.interval())),
        StepTime.fit(prefillSteps.plus(decodeSteps)),
        queriedTokens > 0 ? Math.max(0.01, 1 - hitTokens / queriedTokens) : 1,
        blockSize,
        traffic == null ? LogCounts.NONE : traffic.ttftMicros(),
        traffic == null ? LogCounts.NONE : traffic.itlMicros());
  }

  /** {@code null} when no frontend has told of this interval. */
  private TrafficReport countTraffic() {
    TrafficReport sum = null;
    for (Source source : sources.values()) {
      if (source.silentIntervals++ < 0) {
        if (source.counted != source.latest) {
          final TrafficReport news = source.latest.since(source.counted);
          sum = sum == null ? news : sum.plus(news);
        }
        source.counted = source.latest;
      }
    }
    sources.values().removeIf(source -> source.silentIntervals > SILENT_INTERVALS_MAX);
    if (sum == null) forecast.miss();
    else forecast.observe(settings.interval().toNanos() / 1e9, sum);
    return sum;
  }

  private void countCache() {
    long queried = 0;
    long hit = 0;
    for (Situation.Slot slot : slots.values()) {
      final EngineLoad before = countedLoads.put(slot.id(), slot.load());
      queried += slot.load().prefixQueriedTokens() - before.prefixQueriedTokens();
      hit += slot.load().prefixHitTokens() - before.prefixHitTokens();
    }
    if (queried <= 0) return;
    queriedTokens = CACHE_ALPHA * queried + (1 - CACHE_ALPHA) * queriedTokens;
    hitTokens = CACHE_ALPHA * hit + (1 - CACHE_ALPHA) * hitTokens;
  }

  List<Situation.Slot> slots() {
    return List.copyOf(slots.values());
  }
}
