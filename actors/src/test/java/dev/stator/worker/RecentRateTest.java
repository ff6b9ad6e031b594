package dev.stator.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class RecentRateTest {
  private static final Duration MAX_AGE = Duration.ofSeconds(30);

  private final RecentRate rate = new RecentRate(MAX_AGE);

  @Test
  void shouldBeUnknownBeforeAnyWork() {
    assertTrue(Double.isNaN(rate.perSecond(0)));
  }

  @Test
  void shouldWeighWorkByItsTime() {
    rate.add(100, 1, 0);
    assertEquals(100, rate.perSecond(0));
    rate.add(10, 1, 0);
    assertEquals((90 + 10) / 1.9, rate.perSecond(0), 1e-9);
  }

  @Test
  void shouldFollowWhatChanges() {
    rate.add(1000, 1, 0);
    for (int i = 0; i < 100; i++) rate.add(10, 1, 0);
    assertEquals(10, rate.perSecond(0), 0.1);
  }

  @Test
  void shouldForgetWhatIsLongAgo() {
    rate.add(100, 1, 5);
    assertEquals(100, rate.perSecond(5 + MAX_AGE.toNanos()));
    assertTrue(Double.isNaN(rate.perSecond(6 + MAX_AGE.toNanos())));
  }
}
