package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;

/** Random numbers for kernels, and what comes out of them. */
final class Values {
  private static final double BF16_ERROR = 0x1p-8; // Twice that of rounding once.

  private Values() {}

  static float[] gaussian(Random random, int count) {
    final float[] values = new float[count];
    for (int i = 0; i < count; i++) values[i] = (float) random.nextGaussian();
    return values;
  }

  static short[] halves(Random random, int count) {
    final short[] values = new short[count];
    for (int i = 0; i < count; i++) values[i] = (short) random.nextInt();
    return values;
  }

  static int[] shuffled(Random random, int count) {
    final int[] values = new int[count];
    for (int i = 0; i < count; i++) {
      final int other = random.nextInt(i + 1);
      values[i] = values[other];
      values[other] = i;
    }
    return values;
  }

  static float ofBf16(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  /** A bf16 value that was rounded from {@code expected}, or from a float32 close to it. */
  static void assertBf16(double expected, short actual, double error, String what) {
    assertClose(expected, ofBf16(actual), BF16_ERROR * Math.abs(expected) + error, what);
  }

  static void assertClose(double expected, float actual, double error, String what) {
    assertTrue(
        Math.abs(expected - actual) <= error, () -> what + ": " + actual + ", not " + expected);
  }
}
