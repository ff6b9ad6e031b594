package dev.stator.device.cpu;

import dev.stator.model.FeedForwardVariant.Activation;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Functions made of fused multiply-adds and integer operations alone, so that interpreter, compiled
 * code and any vector width give the same bits; {@code StrictMath} has no vector form and {@code
 * VectorOperators.EXP} promises no bits.
 *
 * <p>{@code exp(x)}: with {@code n = round(x / ln 2)}, taken by adding 1.5 * 2^23, and {@code r = x
 * - n ln 2} in two parts, {@code exp(x) = 2^n (1 + r + r^2 p(r))} with the degree-five polynomial
 * of the Cephes library's {@code expf}. Relative error at most 1.5e-7. Below {@link #EXP_MIN} the
 * result is 0, above {@link #EXP_MAX} that of it.
 */
final class FloatMath {
  /** Smallest argument whose result is a normal number. */
  static final float EXP_MIN = -87.33654f;

  static final float EXP_MAX = 88.02f;
  private static final float LOG2_E = 1.44269504f;
  private static final float ROUND = 0x1.8p23f;
  private static final int ROUND_BITS = Float.floatToRawIntBits(ROUND) - 127;
  private static final float LN2_HIGH = 0.693145752f;
  private static final float LN2_LOW = 1.42860677e-6f;
  private static final float P5 = 1.9875691500e-4f;
  private static final float P4 = 1.3981999507e-3f;
  private static final float P3 = 8.3334519073e-3f;
  private static final float P2 = 4.1665795894e-2f;
  private static final float P1 = 1.6666665459e-1f;
  private static final float P0 = 5.0000001201e-1f;

  /** Below it the polynomial is better than the exponential. */
  private static final float TANH_SMALL = 0.625f;

  private static final float T4 = -5.70498872745e-3f;
  private static final float T3 = 2.06390887954e-2f;
  private static final float T2 = -5.37397155531e-2f;
  private static final float T1 = 1.33314422036e-1f;
  private static final float T0 = -3.33332819422e-1f;
  private static final float GELU_SCALE = -1.59576912f; // -2 sqrt(2 / pi)
  private static final float GELU_CUBE = 0.044715f;

  private FloatMath() {}

  static float exp(float argument) {
    if (argument < EXP_MIN) return 0f;
    final float x = Math.min(argument, EXP_MAX);
    final float t = Math.fma(x, LOG2_E, ROUND);
    final float n = t - ROUND;
    final float r = Math.fma(n, -LN2_LOW, Math.fma(n, -LN2_HIGH, x));
    float p = Math.fma(P5, r, P4);
    p = Math.fma(p, r, P3);
    p = Math.fma(p, r, P2);
    p = Math.fma(p, r, P1);
    p = Math.fma(p, r, P0);
    final float y = Math.fma(p, r * r, r) + 1f;
    return y * Float.intBitsToFloat(Float.floatToRawIntBits(t) - ROUND_BITS << 23);
  }

  /** {@code a[i] = exp(a[i] - bias)} for {@code i} in {@code [from, to)}. */
  static void expOfDifference(float[] a, int from, int to, float bias, boolean usesVectors) {
    int i = from;
    if (usesVectors) i = expOfDifference(a, from, to, bias);
    for (; i < to; i++) a[i] = exp(a[i] - bias);
  }

  /** Whole vectors; returns where they end. */
  private static int expOfDifference(float[] a, int from, int to, float bias) {
    int i = from;
    for (; i + Lanes.COUNT <= to; i += Lanes.COUNT) {
      final FloatVector argument = FloatVector.fromArray(Lanes.FLOATS, a, i).sub(bias);
      final VectorMask<Float> isZero = argument.lt(EXP_MIN);
      final FloatVector x = argument.min(EXP_MAX);
      final FloatVector t = x.lanewise(VectorOperators.FMA, LOG2_E, ROUND);
      final FloatVector n = t.sub(ROUND);
      final FloatVector r =
          n.lanewise(
              VectorOperators.FMA,
              FloatVector.broadcast(Lanes.FLOATS, -LN2_LOW),
              n.lanewise(VectorOperators.FMA, FloatVector.broadcast(Lanes.FLOATS, -LN2_HIGH), x));
      FloatVector p = FloatVector.broadcast(Lanes.FLOATS, P5);
      p = p.fma(r, FloatVector.broadcast(Lanes.FLOATS, P4));
      p = p.fma(r, FloatVector.broadcast(Lanes.FLOATS, P3));
      p = p.fma(r, FloatVector.broadcast(Lanes.FLOATS, P2));
      p = p.fma(r, FloatVector.broadcast(Lanes.FLOATS, P1));
      p = p.fma(r, FloatVector.broadcast(Lanes.FLOATS, P0));
      final FloatVector y = p.fma(r.mul(r), r).add(1f);
      final IntVector power =
          t.reinterpretAsInts().sub(ROUND_BITS).lanewise(VectorOperators.LSHL, 23);
      y.mul(power.reinterpretAsFloats()).blend(0f, isZero).intoArray(a, i);
    }
    return i;
  }

  /** {@code to[i] = activation(gate[i]) * up[i]}; {@code to} is neither of the others. */
  static void gatedTimes(
      Activation activation,
      float[] gate,
      float[] up,
      int from,
      int count,
      float[] to,
      int toFrom,
      boolean usesVectors) {
    switch (activation) {
      case SILU -> siluTimes(gate, up, from, count, to, toFrom, usesVectors);
      case GELU_TANH -> geluTimes(gate, up, from, count, to, toFrom, usesVectors);
    }
  }

  /** {@code to[i] = silu(gate[i]) * up[i]}, with {@code silu(g) = g / (1 + exp(-g))}. */
  static void siluTimes(
      float[] gate, float[] up, int from, int count, float[] to, int toFrom, boolean usesVectors) {
    for (int i = 0; i < count; i++) to[toFrom + i] = -gate[from + i];
    expOfDifference(to, toFrom, toFrom + count, 0, usesVectors);
    for (int i = 0; i < count; i++) {
      to[toFrom + i] = gate[from + i] / (1f + to[toFrom + i]) * up[from + i];
    }
  }

  /**
   * {@code to[i] = gelu(gate[i]) * up[i]}, the form with a hyperbolic tangent: {@code gelu(g) = g /
   * (1 + exp(-2 sqrt(2 / pi) (g + 0.044715 g^3)))}.
   */
  static void geluTimes(
      float[] gate, float[] up, int from, int count, float[] to, int toFrom, boolean usesVectors) {
    for (int i = 0; i < count; i++) {
      final float g = gate[from + i];
      to[toFrom + i] = GELU_SCALE * Math.fma(GELU_CUBE * g, g * g, g);
    }
    expOfDifference(to, toFrom, toFrom + count, 0, usesVectors);
    for (int i = 0; i < count; i++) {
      to[toFrom + i] = gate[from + i] / (1f + to[toFrom + i]) * up[from + i];
    }
  }

  /** {@code 1 / (1 + exp(-x))}. */
  static float sigmoid(float x) {
    return 1f / (1f + exp(-x));
  }

  /**
   * {@code a[i] = cap * tanh(a[i] / cap)} for {@code i} in {@code [from, to)}. With {@code y =
   * |a[i] / cap|}, {@code tanh(y)} is {@code y + y^3 p(y^2)} below {@link #TANH_SMALL} with the
   * polynomial of the Cephes library's {@code tanhf}, else {@code 1 - 2 / (exp(2 y) + 1)}; an error
   * of at most 2e-7. The sign is that of {@code a[i]}.
   */
  static void softcap(float[] a, int from, int to, float cap, boolean usesVectors) {
    int i = from;
    if (usesVectors) i = softcap(a, from, to, cap);
    for (; i < to; i++) a[i] = cap * tanh(a[i] / cap);
  }

  static float tanh(float x) {
    final float y = Math.abs(x);
    final float large = 1f - 2f / (exp(y + y) + 1f);
    return Math.copySign(y < TANH_SMALL ? tanhOfSmall(y) : large, x);
  }

  private static float tanhOfSmall(float y) {
    final float square = y * y;
    float p = Math.fma(T4, square, T3);
    p = Math.fma(p, square, T2);
    p = Math.fma(p, square, T1);
    p = Math.fma(p, square, T0);
    return Math.fma(p * square, y, y);
  }

  /** Whole vectors; returns where they end. */
  private static int softcap(float[] a, int from, int to, float cap) {
    int i = from;
    for (; i + Lanes.COUNT <= to; i += Lanes.COUNT) {
      final FloatVector argument = FloatVector.fromArray(Lanes.FLOATS, a, i).div(cap);
      final FloatVector y = argument.abs();
      final FloatVector square = y.mul(y);
      FloatVector p = square.lanewise(VectorOperators.FMA, T4, T3);
      p = p.fma(square, FloatVector.broadcast(Lanes.FLOATS, T2));
      p = p.fma(square, FloatVector.broadcast(Lanes.FLOATS, T1));
      p = p.fma(square, FloatVector.broadcast(Lanes.FLOATS, T0));
      final FloatVector small = p.mul(square).fma(y, y);
      final FloatVector x = y.add(y).min(EXP_MAX);
      final FloatVector t = x.lanewise(VectorOperators.FMA, LOG2_E, ROUND);
      final FloatVector n = t.sub(ROUND);
      final FloatVector r =
          n.lanewise(
              VectorOperators.FMA,
              FloatVector.broadcast(Lanes.FLOATS, -LN2_LOW),
              n.lanewise(VectorOperators.FMA, FloatVector.broadcast(Lanes.FLOATS, -LN2_HIGH), x));
      FloatVector e = FloatVector.broadcast(Lanes.FLOATS, P5);
      e = e.fma(r, FloatVector.broadcast(Lanes.FLOATS, P4));
      e = e.fma(r, FloatVector.broadcast(Lanes.FLOATS, P3));
      e = e.fma(r, FloatVector.broadcast(Lanes.FLOATS, P2));
      e = e.fma(r, FloatVector.broadcast(Lanes.FLOATS, P1));
      e = e.fma(r, FloatVector.broadcast(Lanes.FLOATS, P0));
      final IntVector power =
          t.reinterpretAsInts().sub(ROUND_BITS).lanewise(VectorOperators.LSHL, 23);
      final FloatVector exp = e.fma(r.mul(r), r).add(1f).mul(power.reinterpretAsFloats());
      final FloatVector large =
          FloatVector.broadcast(Lanes.FLOATS, 1f)
              .sub(FloatVector.broadcast(Lanes.FLOATS, 2f).div(exp.add(1f)));
      final FloatVector magnitude = large.blend(small, y.lt(TANH_SMALL));
      final IntVector sign = argument.reinterpretAsInts().and(Integer.MIN_VALUE);
      magnitude.reinterpretAsInts().or(sign).reinterpretAsFloats().mul(cap).intoArray(a, i);
    }
    return i;
  }
}
