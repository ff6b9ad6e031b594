package dev.stator.transport.aeron;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class DozingTest {
  private static final Duration PARK_MAX = Duration.ofMillis(1);
  private static final Duration DOZE_MAX = Duration.ofMillis(16);
  private static final long MS = 1_000_000;

  private final Dozing dozing = new Dozing(PARK_MAX, DOZE_MAX);

  @Test
  void shouldSpinThenParkEverLonger() {
    pass(Dozing.SPINS, 0);
    assertEquals(Dozing.PARK_MIN_NS, dozing.pauseNs(0, 0, 0));
    assertEquals(2 * Dozing.PARK_MIN_NS, dozing.pauseNs(0, 0, 0));
    pass(10, 0);
    assertEquals(PARK_MAX.toNanos(), dozing.pauseNs(0, 0, 0));
  }

  @Test
  void shouldDozeWhenNothingHappenedForASecond() {
    pass(Dozing.SPINS + 10, 0);
    final long laterNs = Dozing.DOZE_AFTER_NS + MS;
    for (int i = 0; i < 10; i++) dozing.pauseNs(0, 0, laterNs);
    assertEquals(DOZE_MAX.toNanos(), dozing.pauseNs(0, 0, laterNs));
  }

  @Test
  void shouldBeAwakeAfterWork() {
    pass(Dozing.SPINS + 10, 0);
    assertEquals(0, dozing.pauseNs(1, 0, 0));
    pass(Dozing.SPINS, 0);
    assertEquals(Dozing.PARK_MIN_NS, dozing.pauseNs(0, 0, 0));
  }

  /** Datagrams behind a lost one wait in the socket, one a cycle: none may cost a sleep. */
  @Test
  void shouldNotPauseWhileTheDriverHasWork() {
    pass(Dozing.SPINS + 20, 0);
    for (int datagram = 0; datagram < 1000; datagram++) {
      assertEquals(0, dozing.pauseNs(0, 1, datagram));
    }
  }

  /** Heartbeats come for ever. */
  @Test
  void shouldSleepOnAsItDidAfterTheDriversWork() {
    pass(Dozing.SPINS + 10, 0);
    assertEquals(0, dozing.pauseNs(0, 1, MS));
    assertTrue(dozing.pauseNs(0, 0, 2 * MS) >= PARK_MAX.toNanos());
    final long laterNs = Dozing.DOZE_AFTER_NS + MS;
    for (int i = 0; i < 10; i++) dozing.pauseNs(0, i % 2, laterNs);
    assertEquals(DOZE_MAX.toNanos(), dozing.pauseNs(0, 0, laterNs));
  }

  private void pass(int cycles, long nowNs) {
    for (int i = 0; i < cycles; i++) dozing.pauseNs(0, 0, nowNs);
  }
}
