package dev.stator.planner;

import dev.stator.planner.PlannerDecision.Figures;
import dev.stator.planner.PlannerDecision.Hold;
import dev.stator.planner.PlannerDecision.Move;
import dev.stator.planner.Situation.Slot;
import dev.stator.protocol.LogCounts;
import dev.stator.protocol.WorkerId;
import dev.stator.protocol.WorkerRole;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * Chooses the split of the slots, once an interval.
 *
 * <pre>
 *   every split in reach ── {@link PoolModel} ──▶ score ── gain &gt;= gain-min ── confirmations ── budget ──▶ moves
 * </pre>
 *
 * In reach is what the minimums, the moves at once, and the budget leave. The price of a move is in
 * its score, which counts how the moved slots finish what they have; so what must exceed gain-min
 * is what remains. As long as load or speed are unknown, {@link ThresholdRule} decides instead;
 * while decode slots drown, {@link BacklogRule} does; and what {@link MinimumRule} wants comes
 * before all else. Slots with both roles are left alone. Counts intervals, knows no clock. One
 * thread.
 */
public final class SizingModel {
  /** What is wanted: so many slots from decode to prefill, negative for the other way. */
  private record Wish(
      int moves, boolean urgent, String reason, OptionalDouble now, OptionalDouble then) {
    int direction() {
      return Integer.signum(moves);
    }
  }

  private static final double CALM_SHARE = 0.99;

  private final PlannerSettings settings;
  private final ThresholdRule thresholds;
  private final BacklogRule backlog;
  private final MinimumRule decodeMinimum;
  private final MinimumRule prefillMinimum;
  private final int budgetIntervals;
  private final Deque<Long> movedAt =
      new ArrayDeque<>(); // Intervals, one a move that still counts.
  private long interval;
  private int wantedDirection;
  private int agreements;
  private long lastMove = Long.MIN_VALUE;
  private int lastDirection;

  public SizingModel(PlannerSettings settings) {
    this.settings = settings;
    this.thresholds = new ThresholdRule(settings);
    this.backlog = new BacklogRule(settings);
    this.budgetIntervals =
        (int)
            Math.ceilDiv(settings.moves().budgetWindow().toNanos(), settings.interval().toNanos());
    this.decodeMinimum = minimum(WorkerRole.DECODE, settings.decodeMin());
    this.prefillMinimum = minimum(WorkerRole.PREFILL, settings.prefillMin());
  }

  private MinimumRule minimum(WorkerRole role, int min) {
    return new MinimumRule(role, min, settings.moves().confirmations(), budgetIntervals);
  }

  /**
   * One interval's decision: moves, which count as made, or a single hold.
   *
   * @param moving workers whose moves are under way
   */
  public List<PlannerDecision> decide(Situation situation, Set<WorkerId> moving) {
    interval++;
    while (!movedAt.isEmpty() && movedAt.peekFirst() <= interval - budgetIntervals) {
      movedAt.removeFirst();
    }
    final Wish needed = minimumWish(situation, moving);
    if (needed.moves() != 0) return moves(situation, moving, needed, figures(situation, needed));
    final Wish wish = wish(situation, moving);
    final Figures figures = figures(situation, wish);
    final String obstacle = obstacle(wish, isCalm(situation));
    if (obstacle != null) return List.of(new Hold(obstacle + ": " + wish.reason(), figures));
    return moves(situation, moving, wish, figures);
  }

  /**
   * Decode takes what it lacks from prefill, even the last slot, for decode slots prefill, too; it
   * gives only what it can spare. Whatever limits other moves does not limit these.
   */
  private Wish minimumWish(Situation situation, Set<WorkerId> moving) {
    final int decodeLack = decodeMinimum.lack(situation);
    final int prefillLack = prefillMinimum.lack(situation);
    final int toDecode = Math.min(decodeLack, spare(situation, WorkerRole.PREFILL, 0, moving));
    final int toPrefill =
        Math.min(prefillLack, spare(situation, WorkerRole.DECODE, settings.decodeMin(), moving));
    final String reason =
        String.format(
            Locale.ROOT,
            "%d decode slots and %d prefill slots are missing of the least there must be",
            decodeLack,
            prefillLack);
    return new Wish(
        toDecode > 0 ? -toDecode : toPrefill,
        true,
        reason,
        OptionalDouble.empty(),
        OptionalDouble.empty());
  }

  private Wish wish(Situation situation, Set<WorkerId> moving) {
    final int reach = // Moves that minimums needed were made beyond it.
        Math.max(
            0,
            Math.min(
                settings.moves().atOnceMax() - moving.size(),
                settings.moves().budget() - movedAt.size()));
    final int toPrefill =
        Math.min(reach, spare(situation, WorkerRole.DECODE, settings.decodeMin(), moving));
    final int toDecode =
        Math.min(reach, spare(situation, WorkerRole.PREFILL, settings.prefillMin(), moving));
    final Optional<PoolModel> model = PoolModel.of(settings, situation);
    if (model.isPresent()) {
      backlog.observe(situation, model.get().speed, isCalm(situation));
      return backlog.isDrowning()
          ? drainWish(situation, model.get(), toDecode)
          : modelWish(model.get(), toDecode, toPrefill);
    }
    final ThresholdRule.Verdict verdict = thresholds.judge(situation);
    final int moves =
        verdict.shortRole() == WorkerRole.PREFILL
            ? Math.min(1, toPrefill)
            : verdict.shortRole() == WorkerRole.DECODE ? -Math.min(1, toDecode) : 0;
    return new Wish(moves, false, verdict.reason(), OptionalDouble.empty(), OptionalDouble.empty());
  }

  /** Slots of a role that may go, those that are moving left aside. */
  private static int spare(Situation situation, WorkerRole role, int min, Set<WorkerId> moving) {
    final List<Slot> pool = situation.only(role);
    final int movable = (int) pool.stream().filter(slot -> !moving.contains(slot.id())).count();
    return Math.max(0, Math.min(movable, pool.size() - min));
  }

  private Wish drainWish(Situation situation, PoolModel model, int toDecode) {
    final int moves = backlog.isOwed(situation, model.speed) ? -toDecode : 0;
    return new Wish(
        moves,
        true,
        backlog.reason(situation, model.speed),
        OptionalDouble.empty(),
        OptionalDouble.empty());
  }

  private Wish modelWish(PoolModel model, int toDecode, int toPrefill) {
    final PoolModel.Outlook now = model.after(0);
    PoolModel.Outlook best = now;
    int moves = 0;
    for (int candidate = -toDecode; candidate <= toPrefill; candidate++) {
      if (candidate == 0) continue;
      final PoolModel.Outlook outlook = model.after(candidate);
      if (outlook.score() > best.score()) {
        best = outlook;
        moves = candidate;
      }
    }
    final double gain = best.score() - now.score();
    final String reason = reason(model, now, best, moves, gain);
    if (gain < settings.moves().gainMin()) moves = 0;
    return new Wish(
        moves,
        gain >= settings.moves().gainUrgent(),
        reason,
        OptionalDouble.of(now.goodput()),
        OptionalDouble.of(best.goodput()));
  }

  private static String reason(
      PoolModel model, PoolModel.Outlook now, PoolModel.Outlook best, int moves, double gain) {
    final LoadForecast.Load load = model.load;
    final String expected =
        String.format(
            Locale.ROOT,
            "expect %.1f sequences/s of %.0f prompt and %.0f answer tokens; a slot prefills %.0f"
                + " tokens/s; staying gives goodput %.0f %% (pressure %.2f on prefill, %.2f on"
                + " decode)",
            load.sequencesPerSecond(),
            load.promptLength(),
            load.answerLength(),
            model.speed,
            100 * now.goodput(),
            now.prefillPressure(),
            now.decodePressure());
    if (moves == 0) return expected + ", no split in reach gives more";
    return expected
        + String.format(
            Locale.ROOT,
            ", %d more for %s give %.0f %% (%.2f, %.2f), gain %.3f",
            Math.abs(moves),
            moves > 0 ? "prefill" : "decode",
            100 * best.goodput(),
            best.prefillPressure(),
            best.decodePressure(),
            gain);
  }

  /** Why the wish is not granted now; {@code null} when it is. */
  private String obstacle(Wish wish, boolean calm) {
    final int direction = wish.direction();
    agreements = direction == wantedDirection ? agreements + 1 : 1;
    wantedDirection = direction;
    if (direction == 0) return "balanced";
    if (calm && !wish.urgent()) return "targets are kept";
    if (direction != lastDirection && interval - settings.moves().cooldown() <= lastMove) {
      return "cooling down after moves the other way";
    }
    if ((calm || !wish.urgent()) && agreements < settings.moves().confirmations()) {
      return "seen %d of %d times".formatted(agreements, settings.moves().confirmations());
    }
    return null;
  }

  /** Whether the last interval's tokens came in time: then only a great gain is worth a move. */
  private boolean isCalm(Situation situation) {
    final double ttftMicros = settings.ttftTargetS() * 1e6;
    return situation.itlMicros().total() > 0
        && situation.ttftMicros().shareAtMost(ttftMicros) >= CALM_SHARE
        && situation.itlMicros().mean() <= settings.itlTargetS() * 1e6;
  }

  private List<PlannerDecision> moves(
      Situation situation, Set<WorkerId> moving, Wish wish, Figures figures) {
    final WorkerRole from = wish.moves() > 0 ? WorkerRole.DECODE : WorkerRole.PREFILL;
    final WorkerRole to = wish.moves() > 0 ? WorkerRole.PREFILL : WorkerRole.DECODE;
    final List<PlannerDecision> moves = new ArrayList<>();
    situation.only(from).stream()
        .filter(slot -> !moving.contains(slot.id()))
        .sorted(LEAST_LOADED)
        .limit(Math.abs(wish.moves()))
        .forEach(slot -> moves.add(new Move(slot.id(), from, to, wish.reason(), figures)));
    for (int i = 0; i < moves.size(); i++) movedAt.addLast(interval);
    lastMove = interval;
    lastDirection = wish.direction();
    return List.copyOf(moves);
  }

  private static final Comparator<Slot> LEAST_LOADED =
      Comparator.comparingLong((Slot slot) -> slot.load().waitingTokens())
          .thenComparingInt(slot -> slot.load().usedBlocks())
          .thenComparing(slot -> slot.id().slot());

  private static Figures figures(Situation situation, Wish wish) {
    final Optional<LoadForecast.Load> load = situation.traffic();
    return new Figures(
        situation.only(WorkerRole.PREFILL).size(),
        situation.only(WorkerRole.DECODE).size(),
        situation.waitingTokens(WorkerRole.PREFILL),
        situation.occupancy(WorkerRole.DECODE),
        situation.runningSequences(WorkerRole.DECODE),
        p95Seconds(situation.ttftMicros()),
        p95Seconds(situation.itlMicros()),
        load.map(l -> OptionalDouble.of(l.sequencesPerSecond())).orElse(OptionalDouble.empty()),
        load.map(l -> OptionalDouble.of(l.promptLength())).orElse(OptionalDouble.empty()),
        load.map(l -> OptionalDouble.of(l.answerLength())).orElse(OptionalDouble.empty()),
        wish.now(),
        wish.then());
  }

  private static OptionalDouble p95Seconds(LogCounts micros) {
    return micros.total() == 0
        ? OptionalDouble.empty()
        : OptionalDouble.of(micros.percentile(0.95) / 1e6);
  }
}
