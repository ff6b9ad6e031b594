package dev.stator.planner;

/**
 * A series that is smoothed with a damped linear trend and told ahead:
 *
 * <pre>
 *   level = alpha * value + (1 - alpha) * (level + phi * trend)
 *   trend = beta * (level - last level) + (1 - beta) * phi * trend
 *   value h steps ahead = level + (phi + phi^2 + ... + phi^h) * trend
 * </pre>
 *
 * Holt's method with the damping of Gardner and McKenzie (Hyndman and Athanasopoulos, Forecasting:
 * Principles and Practice, 3rd edition, section 8.2). A step without a value changes nothing but
 * damps the trend. Nothing below 0 is told. One thread.
 */
final class HoltSeries {
  private final double alpha;
  private final double beta;
  private final double phi;
  private double level;
  private double trend;
  private boolean hasValue;

  /**
   * @param alpha weight of a new value, in (0, 1]
   * @param beta weight of a new slope, in [0, 1]
   * @param phi how much of the trend is left a step later, in (0, 1]
   */
  HoltSeries(double alpha, double beta, double phi) {
    this.alpha = alpha;
    this.beta = beta;
    this.phi = phi;
  }

  void observe(double value) {
    if (!hasValue) {
      level = value;
      hasValue = true;
      return;
    }
    final double before = level;
    level = alpha * value + (1 - alpha) * (before + phi * trend);
    trend = beta * (level - before) + (1 - beta) * phi * trend;
  }

  void miss() {
    trend *= phi;
  }

  boolean hasValue() {
    return hasValue;
  }

  /** Now, without noise. */
  double level() {
    return Math.max(0, level);
  }

  /** The mean of the next {@code steps} values. */
  double mean(int steps) {
    double ahead = level;
    double slope = trend;
    double sum = 0;
    for (int i = 0; i < steps; i++) {
      slope *= phi;
      ahead += slope;
      sum += Math.max(0, ahead);
    }
    return sum / steps;
  }
}
