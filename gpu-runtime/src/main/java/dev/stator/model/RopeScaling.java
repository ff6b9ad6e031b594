package dev.stator.model;

/** How rotary frequencies are stretched for contexts longer than the model was first trained on. */
public sealed interface RopeScaling {
  /** Frequencies as trained. */
  record None() implements RopeScaling {}

  /** Every frequency is divided by {@code factor}. */
  record Linear(float factor) implements RopeScaling {
    public Linear {
      requirePositive("rope scaling factor", factor);
    }
  }

  /**
   * Llama 3.1's: wavelengths above {@code originalContextLength / lowFrequencyFactor} are stretched
   * by {@code factor}, those below {@code originalContextLength / highFrequencyFactor} stay, those
   * between are blended.
   */
  record Llama3(
      float factor, float lowFrequencyFactor, float highFrequencyFactor, int originalContextLength)
      implements RopeScaling {
    public Llama3 {
      requirePositive("rope scaling factor", factor);
      requirePositive("low frequency factor", lowFrequencyFactor);
      requirePositive("high frequency factor", highFrequencyFactor);
      requirePositive("original context length", originalContextLength);
      if (highFrequencyFactor <= lowFrequencyFactor) {
        throw new ModelFormatException(
            "high frequency factor "
                + highFrequencyFactor
                + " is not above low frequency factor "
                + lowFrequencyFactor);
      }
    }
  }

  /**
   * YaRN (Peng et al., 2023): pairs that turn more than {@code betaFast} times within {@code
   * originalContextLength} stay, those that turn less than {@code betaSlow} times are stretched by
   * {@code factor}, those between are blended along a ramp over the pair's index.
   *
   * @param attentionFactor factor of sines and cosines
   * @param isTruncated whether the ramp begins and ends at whole indices
   */
  record Yarn(
      float factor,
      float betaFast,
      float betaSlow,
      int originalContextLength,
      float attentionFactor,
      boolean isTruncated)
      implements RopeScaling {
    public Yarn {
      requirePositive("rope scaling factor", factor);
      requirePositive("beta_fast", betaFast);
      requirePositive("beta_slow", betaSlow);
      requirePositive("original context length", originalContextLength);
      requirePositive("rope attention factor", attentionFactor);
    }

    /** The paper's: {@code 0.1 ln(factor) + 1}. */
    public static float attentionFactor(double factor) {
      return factor <= 1 ? 1 : (float) (0.1 * Math.log(factor) + 1);
    }
  }

  /**
   * LongRoPE (Ding et al., 2024): one divisor a pair, of one set up to {@code
   * originalContextLength} and of another beyond. Keys that are cached must not change as a
   * sequence grows, so the longest sequence that is served decides, see {@link #chosenFor}.
   *
   * @param attentionFactor factor of sines and cosines, of either set
   */
  record LongRope(
      float[] shortDivisors, float[] longDivisors, int originalContextLength, float attentionFactor)
      implements RopeScaling {
    public LongRope {
      for (float divisor : shortDivisors) requirePositive("rope divisor", divisor);
      for (float divisor : longDivisors) requirePositive("rope divisor", divisor);
      if (shortDivisors.length != longDivisors.length) {
        throw new ModelFormatException(
            shortDivisors.length
                + " short rope divisors, but "
                + longDivisors.length
                + " long ones");
      }
      requirePositive("original context length", originalContextLength);
      requirePositive("rope attention factor", attentionFactor);
    }

    /** Phi-3's: {@code sqrt(1 + ln(factor) / ln(originalContextLength))}. */
    public static float attentionFactor(double factor, int originalContextLength) {
      return factor <= 1
          ? 1
          : (float) Math.sqrt(1 + Math.log(factor) / Math.log(originalContextLength));
    }
  }

  /**
   * One divisor a pair, given by the file (GGUF's {@code rope_freqs.weight}); as many values as
   * pairs.
   *
   * @param attentionFactor factor of sines and cosines
   */
  record PerPair(float[] divisors, float attentionFactor) implements RopeScaling {
    public PerPair {
      for (float divisor : divisors) requirePositive("rope divisor", divisor);
      requirePositive("rope attention factor", attentionFactor);
    }

    public PerPair(float[] divisors) {
      this(divisors, 1);
    }
  }

  /** What holds for all positions of a server whose sequences have up to {@code contextLength}. */
  default RopeScaling chosenFor(int contextLength) {
    if (!(this instanceof LongRope longRope)) return this;
    return new PerPair(
        contextLength > longRope.originalContextLength()
            ? longRope.longDivisors()
            : longRope.shortDivisors(),
        longRope.attentionFactor());
  }

  private static void requirePositive(String what, float value) {
    if (!(value > 0 && Float.isFinite(value))) {
      throw new ModelFormatException(what + " must be positive: " + value);
    }
  }
}
