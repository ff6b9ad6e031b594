package dev.stator.cli.bench;

import java.util.Arrays;

/** What some measurements of the same say together. */
public record Spread(double low, double median, double high) {
  /**
   * @param values at least one; in the middle of an even number lies the mean of two
   */
  public static Spread of(double... values) {
    final double[] sorted = values.clone();
    Arrays.sort(sorted);
    final int middle = sorted.length / 2;
    final double median =
        sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    return new Spread(sorted[0], median, sorted[sorted.length - 1]);
  }
}
