package dev.stator.device.cpu;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/**
 * RMS normalisation with a sum whose order no vector width changes: 16 chains, then a fixed tree.
 */
final class Norms {
  private static final int CHAINS = 16;

  private Norms() {}

  /**
   * {@code to[i] = x[i] * (1 / sqrt(sum(x^2) / count + epsilon)) * weight[i]}, where chain {@code
   * c} of the sum takes the values {@code i = c mod 16} in order, each by a fused multiply-add, and
   * the chains are added as {@code (c, c + 8)}, then {@code (c, c + 4)}, {@code (c, c + 2)}, {@code
   * (c, c + 1)}. {@code to} may be {@code x}.
   *
   * @param chains scratch of {@link #CHAINS} floats
   */
  static void rms(
      float[] x,
      int xFrom,
      float[] weight,
      int count,
      float epsilon,
      float[] to,
      int toFrom,
      float[] chains,
      boolean usesVectors) {
    Arrays.fill(chains, 0f);
    final int whole = usesVectors ? squares(x, xFrom, count, chains) : 0;
    for (int i = whole; i < count; i++) {
      final float value = x[xFrom + i];
      chains[i % CHAINS] = Math.fma(value, value, chains[i % CHAINS]);
    }
    final float mean = tree(chains) / count;
    final float scale = 1f / (float) Math.sqrt(mean + epsilon);
    for (int i = 0; i < count; i++) to[toFrom + i] = x[xFrom + i] * scale * weight[i];
  }

  /** The chains of whole groups of 16 values; returns where they end. */
  private static int squares(float[] x, int from, int count, float[] chains) {
    final int whole = count / CHAINS * CHAINS;
    for (int c = 0; c < CHAINS; c += Lanes.COUNT) {
      FloatVector sum = FloatVector.zero(Lanes.FLOATS);
      for (int i = c; i < whole; i += CHAINS) {
        final FloatVector v = FloatVector.fromArray(Lanes.FLOATS, x, from + i);
        sum = v.fma(v, sum);
      }
      sum.intoArray(chains, c);
    }
    return whole;
  }

  /** Adds 16 chains in the fixed order; overwrites them. */
  static float tree(float[] chains) {
    for (int half = CHAINS / 2; half > 0; half /= 2) {
      for (int c = 0; c < half; c++) chains[c] += chains[c + half];
    }
    return chains[0];
  }
}
