package dev.stator.device.cpu;

import dev.stator.model.ModelConfig;
import dev.stator.model.RopeScaling;
import java.util.Arrays;

/**
 * Rotary position embedding: pair {@code i} of a head at position {@code p} turns by {@code p *
 * theta^(-2i / rotatedSize)}, the frequency stretched as {@link RopeScaling} says; so are sine and
 * cosine where it has an attention factor.
 *
 * <p>Angles, sines and cosines are computed in float64 by {@code StrictMath} and rounded to float32
 * once, a position at a time as sequences grow.
 *
 * <p><b>Threads:</b> one calls {@link #prepare}; any may rotate prepared positions.
 */
final class Rotation {
  private static final int POSITIONS_STEP = 64;

  private final int rotatedSize;
  private final boolean isInterleaved;
  private final double[] frequencies;
  private final double magnitude;
  private final int contextLength;
  private float[] cosines = {};
  private float[] sines = {};
  private int preparedLength;

  Rotation(ModelConfig config, int contextLength) {
    this(config, config.ropeTheta(), config.ropeScaling(), contextLength);
  }

  /** With another base and scaling than the model's own. */
  Rotation(ModelConfig config, float theta, RopeScaling scaling, int contextLength) {
    this.rotatedSize = config.rotatedSize();
    this.isInterleaved = config.ropeLayout() == ModelConfig.RopeLayout.INTERLEAVED;
    this.frequencies = frequencies(rotatedSize, theta, scaling.chosenFor(contextLength));
    this.magnitude = magnitude(scaling.chosenFor(contextLength));
    this.contextLength = contextLength;
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

  /** Makes positions below {@code length} ready. */
  void prepare(int length) {
    if (length <= preparedLength) return;
    final int newLength =
        Math.min(contextLength, (length + POSITIONS_STEP - 1) / POSITIONS_STEP * POSITIONS_STEP);
    final int pairs = frequencies.length;
    if (newLength * pairs > cosines.length) {
      final int capacity = Math.min(contextLength, Math.max(newLength, 2 * preparedLength)) * pairs;
      cosines = Arrays.copyOf(cosines, capacity);
      sines = Arrays.copyOf(sines, capacity);
    }
    for (int p = preparedLength; p < newLength; p++) {
      for (int i = 0; i < pairs; i++) {
        final double angle = p * frequencies[i];
        cosines[p * pairs + i] = (float) (magnitude * StrictMath.cos(angle));
        sines[p * pairs + i] = (float) (magnitude * StrictMath.sin(angle));
      }
    }
    preparedLength = newLength;
  }

  /**
   * Rotates one head in place: {@code a' = a cos - b sin}, {@code b' = b cos + a sin}, each product
   * rounded.
   */
  void rotate(float[] x, int from, int position) {
    final int pairs = frequencies.length;
    final int table = position * pairs;
    final int step = isInterleaved ? 2 : 1;
    final int other = isInterleaved ? 1 : rotatedSize / 2;
    for (int i = 0; i < pairs; i++) {
      final float a = x[from + i * step];
      final float b = x[from + i * step + other];
      final float cosine = cosines[table + i];
      final float sine = sines[table + i];
      x[from + i * step] = a * cosine - b * sine;
      x[from + i * step + other] = b * cosine + a * sine;
    }
  }

  long bytes() {
    return 8L * frequencies.length * contextLength;
  }
}
