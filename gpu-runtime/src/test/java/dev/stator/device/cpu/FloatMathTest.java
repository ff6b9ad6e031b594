package dev.stator.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.testing.RandomWeights;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FloatMathTest {
  private static final double RELATIVE_ERROR_MAX = 1.5e-7;
  private static final int SAMPLES = 400_000;

  @Test
  void shouldComputeExpWithinItsStatedError() {
    for (int i = 0; i <= SAMPLES; i++) {
      final float x = FloatMath.EXP_MIN + (FloatMath.EXP_MAX - FloatMath.EXP_MIN) * i / SAMPLES;
      final double expected = Math.exp(x);
      assertTrue(
          Math.abs(FloatMath.exp(x) - expected) <= RELATIVE_ERROR_MAX * expected,
          () -> "exp(" + x + ")");
    }
    assertEquals(1f, FloatMath.exp(0f));
  }

  @Test
  void shouldSaturateExpOutsideItsRange() {
    assertEquals(0f, FloatMath.exp(Float.NEGATIVE_INFINITY));
    assertEquals(0f, FloatMath.exp(Math.nextDown(FloatMath.EXP_MIN)));
    assertEquals(FloatMath.exp(FloatMath.EXP_MAX), FloatMath.exp(Float.MAX_VALUE));
    assertTrue(Float.isFinite(FloatMath.exp(Float.POSITIVE_INFINITY)));
    assertTrue(Float.isNaN(FloatMath.exp(Float.NaN)));
  }

  @Test
  void shouldGiveTheSameBitsFromVectorsAsFromScalars() {
    final Random random = new Random(5);
    for (int round = 0; round < 200; round++) {
      final int count = 1 + random.nextInt(70);
      final float[] gate = new float[count];
      final float[] up = RandomWeights.activations(count, random);
      for (int i = 0; i < count; i++) gate[i] = Float.intBitsToFloat(random.nextInt());
      if (round % 2 == 0)
        for (int i = 0; i < count; i++) gate[i] = (float) (30 * random.nextGaussian());
      final float[] vector = gate.clone();
      final float[] scalar = gate.clone();
      FloatMath.expOfDifference(vector, 0, count, 1.5f, true);
      FloatMath.expOfDifference(scalar, 0, count, 1.5f, false);
      assertArrayEquals(scalar, vector);
      FloatMath.siluTimes(gate, up, 0, count, vector, 0, true);
      FloatMath.siluTimes(gate, up, 0, count, scalar, 0, false);
      assertArrayEquals(scalar, vector);
    }
  }

  @Test
  void shouldNormaliseAlikeFromVectorsAndScalars() {
    final Random random = new Random(6);
    final float[] chains = new float[16];
    for (int count = 1; count < 100; count++) {
      final float[] x = RandomWeights.activations(count, random);
      final float[] weight = RandomWeights.activations(count, random);
      final float[] vector = new float[count];
      final float[] scalar = new float[count];
      Norms.rms(x, 0, weight, count, 1e-5f, vector, 0, chains, true);
      Norms.rms(x, 0, weight, count, 1e-5f, scalar, 0, chains, false);
      assertArrayEquals(scalar, vector);
    }
  }
}
