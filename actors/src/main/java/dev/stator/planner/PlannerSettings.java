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
 * @param ttftTarget time to the first token that shall be kept
 * @param itlTarget time between two tokens that shall be kept
 * @param remotePrefillMinTokens uncached tokens from which the router sends a prompt to the prefill
 *     slots
 * @param prefillQueueTokensMax owed tokens from which the router gives a prefill slot no more
 * @param forecasting how far and how quickly is looked ahead
 * @param moves what limits moves
 * @param thresholds the rule without measurements
 */
public record PlannerSettings(
    boolean enabled,
    boolean dryRun,
    Duration interval,
    Duration reportInterval,
    int prefillMin,
    int decodeMin,
    Duration ttftTarget,
    Duration itlTarget,
    int remotePrefillMinTokens,
    long prefillQueueTokensMax,
    Forecasting forecasting,
    Moves moves,
    Thresholds thresholds) {
  /**
   * How the load is told ahead; see {@link LoadForecast}.
   *
   * @param horizon over which splits are compared
   * @param alpha weight of the latest interval
   * @param beta weight of the latest slope
   * @param trendDamping how much of a trend is left an interval later
   * @param intervalsMin observed before anything is told
   */
  public record Forecasting(
      Duration horizon, double alpha, double beta, double trendDamping, int intervalsMin) {
    public Forecasting {
      require(horizon.isPositive(), "horizon must be positive", horizon);
      require(alpha > 0 && alpha <= 1, "forecast-alpha must be in (0, 1]", alpha);
      require(beta >= 0 && beta <= 1, "forecast-beta must be in [0, 1]", beta);
      require(
          trendDamping > 0 && trendDamping <= 1,
          "forecast-trend-damping must be in (0, 1]",
          trendDamping);
      require(intervalsMin > 0, "forecast-intervals-min must be positive", intervalsMin);
    }

    int horizonIntervals(Duration interval) {
      return (int) Math.max(1, Math.ceilDiv(horizon.toNanos(), interval.toNanos()));
    }
  }

  /**
   * What limits moves.
   *
   * @param gainMin score that a move must add
   * @param gainUrgent score from which no confirmation is awaited
   * @param confirmations decisions in a row that must agree before a slot moves
   * @param cooldown decisions to wait after a move, before one the other way
   * @param atOnceMax moves under way at a time
   * @param budget moves within the budget's window
   * @param budgetWindow how long a move counts
   * @param timeout after which a move without an answer is given up
   */
  public record Moves(
      double gainMin,
      double gainUrgent,
      int confirmations,
      int cooldown,
      int atOnceMax,
      int budget,
      Duration budgetWindow,
      Duration timeout) {
    public Moves {
      require(gainMin >= 0, "gain-min must not be negative", gainMin);
      require(gainUrgent >= gainMin, "gain-urgent must be at least gain-min", gainUrgent);
      require(confirmations > 0, "confirmations must be positive", confirmations);
      require(cooldown >= 0, "cooldown must not be negative", cooldown);
      require(atOnceMax > 0, "moves-at-once-max must be positive", atOnceMax);
      require(budget > 0, "moves-budget must be positive", budget);
      require(budgetWindow.isPositive(), "moves-budget-window must be positive", budgetWindow);
      require(timeout.isPositive(), "move-timeout must be positive", timeout);
    }
  }

  /**
   * The rule as long as nothing is measured.
   *
   * @param prefillQueueTokensHigh waiting prompt tokens a prefill slot from which the pool is short
   * @param prefillQueueTokensLow up to which it has slots to spare
   * @param decodeOccupancyHigh used share of the decode slots' blocks from which the pool is short
   * @param decodeOccupancyLow up to which it has slots to spare
   */
  public record Thresholds(
      long prefillQueueTokensHigh,
      long prefillQueueTokensLow,
      double decodeOccupancyHigh,
      double decodeOccupancyLow) {
    public Thresholds {
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
    }
  }

  public PlannerSettings {
    require(interval.isPositive(), "interval must be positive", interval);
    require(
        reportInterval.isPositive() && reportInterval.compareTo(interval) <= 0,
        "report-interval must be positive and at most interval",
        reportInterval);
    require(prefillMin >= 0, "prefill-min must not be negative", prefillMin);
    require(decodeMin >= 1, "decode-min must be at least 1", decodeMin);
    require(ttftTarget.isPositive(), "ttft-target must be positive", ttftTarget);
    require(itlTarget.isPositive(), "itl-target must be positive", itlTarget);
    require(
        remotePrefillMinTokens >= 0,
        "remote-prefill-min-tokens must not be negative",
        remotePrefillMinTokens);
    require(
        prefillQueueTokensMax > 0,
        "prefill-queue-tokens-max must be positive",
        prefillQueueTokensMax);
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
        config.getDuration("ttft-target"),
        config.getDuration("itl-target"),
        config.getInt("remote-prefill-min-tokens"),
        config.getLong("prefill-queue-tokens-max"),
        forecasting(config),
        moves(config),
        thresholds(config));
  }

  private static Forecasting forecasting(Config config) {
    return new Forecasting(
        config.getDuration("horizon"),
        config.getDouble("forecast-alpha"),
        config.getDouble("forecast-beta"),
        config.getDouble("forecast-trend-damping"),
        config.getInt("forecast-intervals-min"));
  }

  private static Moves moves(Config config) {
    return new Moves(
        config.getDouble("gain-min"),
        config.getDouble("gain-urgent"),
        config.getInt("confirmations"),
        config.getInt("cooldown"),
        config.getInt("moves-at-once-max"),
        config.getInt("moves-budget"),
        config.getDuration("moves-budget-window"),
        config.getDuration("move-timeout"));
  }

  private static Thresholds thresholds(Config config) {
    return new Thresholds(
        config.getLong("prefill-queue-tokens-high"),
        config.getLong("prefill-queue-tokens-low"),
        config.getDouble("decode-occupancy-high"),
        config.getDouble("decode-occupancy-low"));
  }

  double ttftTargetS() {
    return ttftTarget.toNanos() / 1e9;
  }

  double itlTargetS() {
    return itlTarget.toNanos() / 1e9;
  }

  private static void require(boolean holds, String rule, Object value) {
    if (!holds) throw new IllegalArgumentException("stator.planner." + rule + ": " + value);
  }
}
