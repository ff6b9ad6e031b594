package dev.stator.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class SendClockTest {
  private final SendClock clock = new SendClock();

  @Test
  void shouldCountWritesAsHiddenWhileThereIsSomethingToCompute() {
    clock.posted(10);
    clock.ended(30);
    clock.posted(40);
    clock.computed(45);
    clock.ended(60);
    clock.posted(70);
    clock.ended(75);
    assertEquals(45, clock.totalNs());
    assertEquals(15 + 5, clock.exposedNs());
  }

  @Test
  void shouldCountNothingForAWriteThatHasNotLeft() {
    clock.ended(5);
    assertEquals(0, clock.totalNs());
  }
}
