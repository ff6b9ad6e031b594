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
   * One divisor a pair, given by the file (GGUF's {@code rope_freqs.weight}); {@code headSize / 2}
   * values.
   */
  record PerPair(float[] divisors) implements RopeScaling {
    public PerPair {
      for (float divisor : divisors) requirePositive("rope divisor", divisor);
    }
  }

  private static void requirePositive(String what, float value) {
    if (!(value > 0 && Float.isFinite(value))) {
      throw new ModelFormatException(what + " must be positive: " + value);
    }
  }
}
