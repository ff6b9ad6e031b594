package dev.stator.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class StrictExpTest {
  private static final double RELATIVE_ERROR = 1e-14;

  @Test
  void shouldBeNearTheTruthEverywhere() {
    final Random random = new Random(1);
    double previous = 0;
    for (double x = -700; x <= 0; x += 0.001 * random.nextDouble()) {
      final double expected = StrictMath.exp(x);
      final double actual = StrictExp.exp(x);
      assertEquals(expected, actual, expected * RELATIVE_ERROR);
      assertTrue(actual >= previous * (1 - RELATIVE_ERROR));
      previous = actual;
    }
  }

  @Test
  void shouldBeExactAtTheEnds() {
    assertEquals(1, StrictExp.exp(0));
    assertEquals(1, StrictExp.exp(-0.0));
    assertEquals(0, StrictExp.exp(-700.001));
    assertEquals(0, StrictExp.exp(Double.NEGATIVE_INFINITY));
    assertEquals(0, StrictExp.exp(Double.NaN));
  }
}
