package dev.stator.planner;

import dev.stator.protocol.WorkerRole;
import java.util.Locale;

/**
 * Notices that decode slots drown. Without room for another sequence they compute waiting prompts
 * themselves, when one ends; that slows all their sequences, which so hold their blocks longer: the
 * backlog feeds itself while the prefill slots have nothing to do. No forecast of arrivals sees it.
 *
 * <pre>
 *   (none) ── decode slots owe more than they compute within the TTFT target,
 *             and more than prefill slots owe ──▶ DROWNING ── targets are kept ──▶ (none)
 * </pre>
 *
 * While they drown, slots go to decode or stay. One thread.
 */
final class BacklogRule {
  private final PlannerSettings settings;
  private boolean drowning;

  BacklogRule(PlannerSettings settings) {
    this.settings = settings;
  }

  /**
   * What one more interval shows.
   *
   * @param speed prompt tokens a second of a slot that does nothing else
   * @param calm whether the interval's tokens came in time
   */
  void observe(Situation situation, double speed, boolean calm) {
    if (calm) drowning = false;
    else if (isOwed(situation, speed)) drowning = true;
  }

  boolean isDrowning() {
    return drowning;
  }

  /** Whether decode slots owe too much now. */
  boolean isOwed(Situation situation, double speed) {
    final double owed = perSlot(situation, WorkerRole.DECODE);
    return owed > speed * settings.ttftTargetS() && owed > perSlot(situation, WorkerRole.PREFILL);
  }

  /** In words, with the figures; while they drown. */
  String reason(Situation situation, double speed) {
    return String.format(
        Locale.ROOT,
        "decode slots %s: they owe %.0f prompt tokens each and compute %.0f within the TTFT target,"
            + " prefill slots owe %.0f; none leaves decode until targets are kept",
        isOwed(situation, speed) ? "have no room" : "had no room and catch up",
        perSlot(situation, WorkerRole.DECODE),
        speed * settings.ttftTargetS(),
        perSlot(situation, WorkerRole.PREFILL));
  }

  private static double perSlot(Situation situation, WorkerRole role) {
    return (double) situation.waitingTokens(role) / Math.max(1, situation.only(role).size());
  }
}
