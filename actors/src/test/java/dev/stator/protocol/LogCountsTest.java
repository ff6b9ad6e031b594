package dev.stator.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Collections;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class LogCountsTest {
  @Test
  void shouldPutEveryValueIntoTheBucketThatBeginsAtMostAQuarterBelow() {
    final SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 10_000; i++) {
      final long value = random.nextLong(1L << (1 + i % 40));
      final int bucket = LogCounts.bucket(value);
      assertTrue(LogCounts.floor(bucket) <= value, () -> "value " + value);
      assertTrue(value < LogCounts.floor(bucket + 1), () -> "value " + value);
      assertTrue(value - LogCounts.floor(bucket) <= value / 4 + 1, () -> "value " + value);
    }
    assertEquals(0, LogCounts.bucket(-5));
    assertEquals(LogCounts.BUCKETS_MAX - 1, LogCounts.bucket(Long.MAX_VALUE));
  }

  @Test
  void shouldTellMeanSpreadAndPercentilesOfManyValues() {
    final LogCounts counts = uniformTo(10_000);
    assertEquals(5_000, counts.mean(), 100);
    assertEquals(1.0 / 3, counts.squaredVariation(), 0.03);
    assertEquals(9_500, counts.percentile(0.95), 250, "the last bucket is not full");
    assertEquals(0.25, counts.shareAtMost(2_500), 0.01);
    assertEquals(0.5, counts.shareAtLeast(5_000), 0.07);
    assertEquals(0.75, counts.weightAtLeast(5_000), 0.07);
  }

  @Test
  void shouldTellNothingOfNothing() {
    assertEquals(0, LogCounts.NONE.mean());
    assertEquals(0, LogCounts.NONE.squaredVariation());
    assertEquals(0, LogCounts.NONE.percentile(0.5));
    assertEquals(1, LogCounts.NONE.shareAtMost(1));
    assertEquals(0, LogCounts.NONE.shareAtLeast(1));
  }

  @Test
  void shouldGiveBackWhatWasAdded() {
    final LogCounts small = uniformTo(10);
    final LogCounts large = uniformTo(10_000);
    assertEquals(large, large.plus(small).minus(small));
    assertEquals(LogCounts.NONE, small.minus(large), "no bucket below zero");
  }

  @Test
  void shouldRefuseMoreBucketsThanThereAre() {
    assertThrows(
        IllegalArgumentException.class,
        () -> new LogCounts(Collections.nCopies(LogCounts.BUCKETS_MAX + 1, 1L)));
  }

  private static LogCounts uniformTo(int end) {
    final long[] buckets = new long[LogCounts.BUCKETS_MAX];
    for (int value = 0; value < end; value++) buckets[LogCounts.bucket(value)]++;
    return LogCounts.of(buckets);
  }
}
