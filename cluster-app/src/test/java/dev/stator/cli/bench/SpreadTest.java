package dev.stator.cli.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class SpreadTest {
  @Test
  void shouldHaveItsMedianInTheMiddle() {
    assertEquals(new Spread(1, 2, 9), Spread.of(9, 1, 2));
    assertEquals(new Spread(1, 3, 9), Spread.of(9, 1, 4, 2));
    assertEquals(new Spread(5, 5, 5), Spread.of(5));
  }
}
