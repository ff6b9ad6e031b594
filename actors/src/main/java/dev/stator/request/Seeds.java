package dev.stator.request;

import dev.stator.engine.SamplingParams;

/** The seeds of several choices of one call. */
final class Seeds {
  private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

  private Seeds() {}

  /**
   * Choice 0 draws with the call's seed, the others with seeds derived from it (SplitMix64's
   * finalizer: G. L. Steele, D. Lea, C. H. Flood, "Fast Splittable PRNGs", OOPSLA 2014).
   */
  static long derive(long seed, int choiceIndex) {
    if (choiceIndex == 0) return seed;
    long z = seed + choiceIndex * GOLDEN_GAMMA;
    z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
    z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
    return z ^ z >>> 31;
  }

  static SamplingParams sampling(SamplingParams first, int choiceIndex) {
    return new SamplingParams(
        first.temperature(),
        first.topK(),
        first.topP(),
        first.minP(),
        first.repetitionPenalty(),
        first.presencePenalty(),
        first.frequencyPenalty(),
        first.logitBias(),
        derive(first.seed(), choiceIndex),
        first.maxTokens(),
        first.minTokens(),
        first.stopTokenIds(),
        first.ignoreEnd(),
        first.logprobs(),
        first.topLogprobs(),
        first.constraint());
  }
}
