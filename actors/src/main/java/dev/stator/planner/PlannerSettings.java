package dev.stator.planner;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * {@code stator.planner} in reference.conf; read and checked once, at start.
 *
 * @param enabled whether anything is decided
 * @param dryRun whether decisions are only logged
 * @param interval between two decisions
 * @param reportInterval between two reports of a frontend
 * @param prefillMin slots that always prefill
 * @param decodeMin slots that always decode
 * @param prefillQueueTokensHigh waiting prompt tokens a prefill slot from which the pool is short
 * @param prefillQueueTokensLow up to which it has slots to spare
 * @param decodeOccupancyHigh used share of the decode slots' blocks from which the pool is short
 * @param decodeOccupancyLow up to which it has slots to spare
 * @param confirmations decisions in a row that must agree before a slot moves
 * @param cooldown decisions to wait after a move
 */
public record PlannerSettings(
    boolean enabled,
    boolean dryRun,
    Duration interval,
    Duration reportInterval,
    int prefillMin,
    int decodeMin,
    long prefillQueueTokensHigh,
    long prefillQueueTokensLow,
    double decodeOccupancyHigh,
    double decodeOccupancyLow,
    int confirmations,
    int cooldown) {
  public PlannerSettings {
    require(interval.isPositive(), "interval must be positive", interval);
    require(
        reportInterval.isPositive() && reportInterval.compareTo(interval) <= 0,
        "report-interval must be positive and at most interval",
        reportInterval);
    require(prefillMin >= 0, "prefill-min must not be negative", prefillMin);
    require(decodeMin >= 1, "decode-min must be at least 1", decodeMin);
    require(
        prefillQueueTokensLow >= 0 && prefillQueueTokensLow < prefillQueueTokensHigh,
        "prefill-queue-tokens-low must be in [0, prefill-queue-tokens-high)",
        prefillQueueTokensLow);
    require(
        decodeOccupancyLow >= 0 && decodeOccupancyLow < decodeOccupancyHigh,
        "decode-occupancy-low must be in [0, decode-occupancy-high)",
        decodeOccupancyLow);
    require(
        decodeOccupancyHigh <= 1, "decode-occupancy-high must be at most 1", decodeOccupancyHigh);
    require(confirmations > 0, "confirmations must be positive", confirmations);
    require(cooldown >= 0, "cooldown must not be negative", cooldown);
  }

  /**
   * @param config at {@code stator.planner}
   */
  public static PlannerSettings from(Config config) {
    return new PlannerSettings(
        config.getBoolean("enabled"),
        config.getBoolean("dry-run"),
        config.getDuration("interval"),
        config.getDuration("report-interval"),
        config.getInt("prefill-min"),
        config.getInt("decode-min"),
        config.getLong("prefill-queue-tokens-high"),
        config.getLong("prefill-queue-tokens-low"),
        config.getDouble("decode-occupancy-high"),
        config.getDouble("decode-occupancy-low"),
        config.getInt("confirmations"),
        config.getInt("cooldown"));
  }

  private static void require(boolean holds, String rule, Object value) {
    if (!holds) throw new IllegalArgumentException("stator.planner." + rule + ": " + value);
  }
}
