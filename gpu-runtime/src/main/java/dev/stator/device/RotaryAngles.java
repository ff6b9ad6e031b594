package dev.stator.device;

import dev.stator.model.RopeScaling;

/**
 * Sines and cosines of rotary position embedding: pair {@code i} of a head at position {@code p}
 * turns by {@code p * theta^(-2i / rotatedSize)}, the frequency stretched as {@link RopeScaling}
 * says; so are sine and cosine where it has an attention factor.
 *
 * <p>Computed in float64 by {@code StrictMath} and rounded to float32 once. <b>Threads:</b> any.
 */
public final class RotaryAngles {
  private final double[] frequencies;
  private final double magnitude;

  /**
   * @param rotatedSize values of a head that are rotated, two a pair
   * @param contextLength the longest sequence that is served, in tokens
   */
  public RotaryAngles(int rotatedSize, float theta, RopeScaling scaling, int contextLength) {
    this.frequencies = frequencies(rotatedSize, theta, scaling.chosenFor(contextLength));
    this.magnitude = magnitude(scaling.chosenFor(contextLength));
  }

  /** Pairs of a head. */
  public int pairs() {
    return frequencies.length;
  }

  /** Writes {@link #pairs} values of a position into each array, from {@code offset} on. */
  public void compute(int position, float[] cosines, float[] sines, int offset) {
    for (int i = 0; i < frequencies.length; i++) {
      final double angle = position * frequencies[i];
      cosines[offset + i] = (float) (magnitude * StrictMath.cos(angle));
      sines[offset + i] = (float) (magnitude * StrictMath.sin(angle));
    }
  }

  private static double[] frequencies(int rotatedSize, float theta, RopeScaling scaling) {
    final double[] frequencies = new double[rotatedSize / 2];
    for (int i = 0; i < frequencies.length; i++) {
      final double frequency = StrictMath.pow(theta, -2.0 * i / rotatedSize);
      frequencies[i] =
          switch (scaling) {
            case RopeScaling.None() -> frequency;
            case RopeScaling.Linear(float factor) -> frequency / factor;
            case RopeScaling.PerPair(float[] divisors, float _) -> frequency / divisors[i];
            case RopeScaling.Llama3 llama3 -> llama3(llama3, frequency);
            case RopeScaling.Yarn yarn -> yarn(yarn, theta, rotatedSize, i, frequency);
            case RopeScaling.LongRope _ -> throw new IllegalArgumentException("not chosen");
          };
    }
    return frequencies;
  }

  private static float magnitude(RopeScaling scaling) {
    return switch (scaling) {
      case RopeScaling.PerPair perPair -> perPair.attentionFactor();
      case RopeScaling.Yarn yarn -> yarn.attentionFactor();
      default -> 1;
    };
  }

  private static double llama3(RopeScaling.Llama3 scaling, double frequency) {
    final double wavelength = 2 * Math.PI / frequency;
    final double length = scaling.originalContextLength();
    if (wavelength < length / scaling.highFrequencyFactor()) return frequency;
    if (wavelength > length / scaling.lowFrequencyFactor()) return frequency / scaling.factor();
    final double smooth =
        (length / wavelength - scaling.lowFrequencyFactor())
            / (scaling.highFrequencyFactor() - scaling.lowFrequencyFactor());
    return (1 - smooth) * frequency / scaling.factor() + smooth * frequency;
  }

  private static double yarn(
      RopeScaling.Yarn scaling, float theta, int rotatedSize, int pair, double frequency) {
    double low = yarnPair(scaling, scaling.betaFast(), theta, rotatedSize);
    double high = yarnPair(scaling, scaling.betaSlow(), theta, rotatedSize);
    if (scaling.isTruncated()) {
      low = StrictMath.floor(low);
      high = StrictMath.ceil(high);
    }
    low = Math.max(low, 0);
    high = Math.min(high, rotatedSize - 1);
    if (low == high) high += 0.001;
    final double stretched = Math.clamp((pair - low) / (high - low), 0.0, 1.0);
    return stretched * frequency / scaling.factor() + (1 - stretched) * frequency;
  }

  /** The pair, a fraction, that turns {@code turns} times within the original context. */
  private static double yarnPair(
      RopeScaling.Yarn scaling, float turns, float theta, int rotatedSize) {
    return rotatedSize
        * StrictMath.log(scaling.originalContextLength() / (turns * 2 * Math.PI))
        / (2 * StrictMath.log(theta));
  }
}
