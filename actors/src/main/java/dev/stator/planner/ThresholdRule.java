package dev.stator.planner;

import dev.stator.protocol.WorkerRole;
import java.util.Locale;

/**
 * The rule as long as neither load nor speed are known. Prefill is short when its slots owe many
 * prompt tokens, decode when its blocks are nearly used up; the other pool must have slots to
 * spare. Not by waiting sequences: those of a remote prefill wait for the other pool. Pure.
 */
final class ThresholdRule {
  /**
   * @param shortRole the pool that needs a slot which the other can spare; {@code null} for neither
   */
  record Verdict(WorkerRole shortRole, String reason) {}

  private final PlannerSettings.Thresholds thresholds;

  ThresholdRule(PlannerSettings settings) {
    this.thresholds = settings.thresholds();
  }

  Verdict judge(Situation situation) {
    final int prefillSlots = situation.only(WorkerRole.PREFILL).size();
    final int decodeSlots = situation.only(WorkerRole.DECODE).size();
    final double waiting =
        (double) situation.waitingTokens(WorkerRole.PREFILL) / Math.max(1, prefillSlots);
    final double occupancy = situation.occupancy(WorkerRole.DECODE);
    final String reason =
        String.format(
            Locale.ROOT,
            "nothing measured yet; %d prefill slots owe %.0f tokens each, %d decode slots are %.0f"
                + " %% full",
            prefillSlots,
            waiting,
            decodeSlots,
            100 * occupancy);
    return new Verdict(shortRole(waiting, occupancy), reason);
  }

  private WorkerRole shortRole(double waiting, double occupancy) {
    if (waiting >= thresholds.prefillQueueTokensHigh()
        && occupancy <= thresholds.decodeOccupancyLow()) {
      return WorkerRole.PREFILL;
    }
    if (occupancy >= thresholds.decodeOccupancyHigh()
        && waiting <= thresholds.prefillQueueTokensLow()) {
      return WorkerRole.DECODE;
    }
    return null;
  }
}
