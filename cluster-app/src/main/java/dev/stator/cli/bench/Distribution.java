package dev.stator.cli.bench;

import java.util.ArrayList;
import java.util.List;
import org.HdrHistogram.Histogram;

/**
 * A latency's distribution, in milliseconds.
 *
 * @param curve percentiles for a plot, ascending
 * @param buckets counts for a plot: equal widths from the minimum to the 99th percentile, and one
 *     bucket for the rest
 */
public record Distribution(
    long count,
    double mean,
    double min,
    double p50,
    double p90,
    double p95,
    double p99,
    double max,
    List<PercentilePoint> curve,
    List<Bucket> buckets) {
  private static final double[] CURVE = {
    0, 5, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92.5, 95, 97.5, 98, 99, 99.5, 99.9, 100
  };
  private static final int BUCKET_COUNT = 32;

  /** A percentile's value in milliseconds. */
  public record PercentilePoint(double percentile, double ms) {}

  /** Values in {@code [fromMs, toMs)}. */
  public record Bucket(double fromMs, double toMs, long count) {}

  /** Collects microseconds at three significant digits. */
  static Histogram collector() {
    return new Histogram(3);
  }

  static void record(Histogram collector, double ns) {
    collector.recordValue(Math.max(0, Math.round(ns / 1e3)));
  }

  static Distribution of(Histogram microseconds) {
    final List<PercentilePoint> curve = new ArrayList<>();
    if (microseconds.getTotalCount() > 0) {
      for (double percentile : CURVE) {
        curve.add(new PercentilePoint(percentile, ms(microseconds, percentile)));
      }
    }
    return new Distribution(
        microseconds.getTotalCount(),
        microseconds.getTotalCount() == 0 ? 0 : microseconds.getMean() / 1e3,
        microseconds.getTotalCount() == 0 ? 0 : microseconds.getMinValue() / 1e3,
        ms(microseconds, 50),
        ms(microseconds, 90),
        ms(microseconds, 95),
        ms(microseconds, 99),
        ms(microseconds, 100),
        curve,
        buckets(microseconds));
  }

  private static List<Bucket> buckets(Histogram microseconds) {
    if (microseconds.getTotalCount() == 0) return List.of();
    final long low = microseconds.getMinValue();
    final long high = Math.max(microseconds.getValueAtPercentile(99), low + BUCKET_COUNT);
    final long width = (high - low + BUCKET_COUNT - 1) / BUCKET_COUNT;
    final long[] counts = new long[BUCKET_COUNT + 1];
    for (var value : microseconds.recordedValues()) {
      final long bucket = (value.getValueIteratedTo() - low) / width;
      counts[Math.clamp(bucket, 0, BUCKET_COUNT)] += value.getCountAddedInThisIterationStep();
    }
    final List<Bucket> buckets = new ArrayList<>();
    for (int i = 0; i < BUCKET_COUNT; i++) {
      buckets.add(new Bucket((low + i * width) / 1e3, (low + (i + 1) * width) / 1e3, counts[i]));
    }
    if (counts[BUCKET_COUNT] > 0) {
      buckets.add(
          new Bucket(
              (low + BUCKET_COUNT * width) / 1e3,
              microseconds.getMaxValue() / 1e3,
              counts[BUCKET_COUNT]));
    }
    return buckets;
  }

  private static double ms(Histogram microseconds, double percentile) {
    return microseconds.getTotalCount() == 0
        ? 0
        : microseconds.getValueAtPercentile(percentile) / 1e3;
  }
}
