package dev.stator.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class PhiloxTest {
  /** From the known-answer file of the authors' library, Random123. */
  @Test
  void shouldMatchKnownAnswers() {
    assertEquals(0xe169c58d_6627e8d5L, Philox.first64(0, 0, 0, 0, 0));
    assertEquals(0x41c83b0e_408f276dL, Philox.first64(-1, -1, -1, -1, -1));
    assertEquals(
        0x94fdcceb_d16cfe09L,
        Philox.first64(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0x299f31d0_a4093822L));
  }

  @Test
  void shouldBeUniformOverPositionsAndOverSeeds() {
    final int draws = 20_000;
    final int[] byPosition = new int[20];
    final int[] bySeed = new int[20];
    for (int i = 0; i < draws; i++) {
      final double draw = Philox.uniform(7, i);
      assertTrue(draw >= 0 && draw < 1);
      byPosition[(int) (draw * 20)]++;
      bySeed[(int) (Philox.uniform(i, 7) * 20)]++;
    }
    assertTrue(chiSquare(byPosition, draws) < 43.8, "19 degrees of freedom, 1 in 1000");
    assertTrue(chiSquare(bySeed, draws) < 43.8, "19 degrees of freedom, 1 in 1000");
  }

  private static double chiSquare(int[] counts, int draws) {
    final double expected = (double) draws / counts.length;
    double sum = 0;
    for (int count : counts) sum += (count - expected) * (count - expected) / expected;
    return sum;
  }
}
