package dev.stator.protocol;

import java.util.ArrayList;
import java.util.List;

/**
 * Counts of values in buckets that grow with the value: each power of two is cut into {@value
 * #PER_OCTAVE} equal parts, so a value is known to 25 % however large, in at most {@value
 * #BUCKETS_MAX} buckets. Values below {@value #PER_OCTAVE} are exact.
 *
 * @param counts by bucket; the buckets behind the last are empty
 */
public record LogCounts(List<Long> counts) {
  private static final int PART_BITS = 2;
  private static final int PER_OCTAVE = 1 << PART_BITS;

  /** Buckets of the values below 2^40; greater ones go into the last. */
  public static final int BUCKETS_MAX = (40 - PART_BITS + 1) * PER_OCTAVE;

  public static final LogCounts NONE = new LogCounts(List.of());

  public LogCounts {
    counts = List.copyOf(counts);
    if (counts.size() > BUCKETS_MAX) {
      throw new IllegalArgumentException(
          "at most %d buckets: %d".formatted(BUCKETS_MAX, counts.size()));
    }
  }

  /** Of an array with a place for each of the {@link #BUCKETS_MAX} buckets. */
  public static LogCounts of(long[] buckets) {
    int size = buckets.length;
    while (size > 0 && buckets[size - 1] == 0) size--;
    final List<Long> counts = new ArrayList<>(size);
    for (int i = 0; i < size; i++) counts.add(buckets[i]);
    return new LogCounts(counts);
  }

  /** The bucket of a value; negative values count as 0. */
  public static int bucket(long value) {
    if (value < PER_OCTAVE) return (int) Math.max(0, value);
    final int octave = Long.SIZE - 1 - Long.numberOfLeadingZeros(value);
    final int part = (int) (value >> (octave - PART_BITS)) & (PER_OCTAVE - 1);
    return Math.min(BUCKETS_MAX - 1, (octave - PART_BITS + 1) * PER_OCTAVE + part);
  }

  /** The least value of a bucket. */
  public static long floor(int bucket) {
    if (bucket < PER_OCTAVE) return bucket;
    final int octave = bucket / PER_OCTAVE - 1;
    return (long) (PER_OCTAVE + bucket % PER_OCTAVE) << octave;
  }

  public LogCounts plus(LogCounts other) {
    return combine(other, 1);
  }

  /** No bucket gets less than 0. */
  public LogCounts minus(LogCounts other) {
    return combine(other, -1);
  }

  private LogCounts combine(LogCounts other, int sign) {
    final long[] sums = new long[Math.max(counts.size(), other.counts.size())];
    for (int i = 0; i < sums.length; i++) sums[i] = Math.max(0, count(i) + sign * other.count(i));
    return of(sums);
  }

  public long total() {
    return counts.stream().mapToLong(Long::longValue).sum();
  }

  /** With each bucket's middle for its values; 0 when there are none. */
  public double mean() {
    double sum = 0;
    for (int i = 0; i < counts.size(); i++) sum += count(i) * middle(i);
    return sum / Math.max(1, total());
  }

  /**
   * The value that a share of all values is at most; interpolated, 0 when there are none.
   *
   * @param share in [0, 1]
   */
  public double percentile(double share) {
    double left = share * total();
    for (int i = 0; i < counts.size(); i++) {
      if (left <= count(i) && count(i) > 0)
        return floor(i) + left / count(i) * (floor(i + 1) - floor(i));
      left -= count(i);
    }
    return counts.isEmpty() ? 0 : floor(counts.size());
  }

  /** Share of the values that are at most {@code limit}; interpolated, 1 when there are none. */
  public double shareAtMost(double limit) {
    if (total() == 0) return 1;
    double sum = 0;
    for (int i = 0; i < counts.size(); i++) {
      final double width = (double) floor(i + 1) - floor(i);
      sum += count(i) * Math.clamp((limit + 1 - floor(i)) / width, 0, 1);
    }
    return sum / total();
  }

  /** Share of the values' sum that comes from values of at least {@code limit}. */
  public double weightAtLeast(double limit) {
    double sum = 0;
    double large = 0;
    for (int i = 0; i < counts.size(); i++) {
      final double weight = count(i) * middle(i);
      sum += weight;
      if (middle(i) >= limit) large += weight;
    }
    return sum == 0 ? 0 : large / sum;
  }

  private double middle(int bucket) {
    return bucket < PER_OCTAVE ? bucket : (floor(bucket) + floor(bucket + 1)) / 2.0;
  }

  private long count(int bucket) {
    return bucket < counts.size() ? counts.get(bucket) : 0;
  }
}
