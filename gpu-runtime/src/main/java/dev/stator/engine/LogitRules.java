package dev.stator.engine;

import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The token sets of a sequence's sampling parameters as arrays, made once, so that a step boxes
 * nothing.
 *
 * @param stopTokens tokens that end the answer: the model's own, unless ignored, and the request's
 * @param biasTokens tokens with a bias
 * @param biases what is added to their logits, in the same order
 */
record LogitRules(int[] stopTokens, int[] biasTokens, float[] biases) {
  static LogitRules of(SamplingParams params, Set<Integer> endTokenIds) {
    final int[] stopTokens =
        Stream.concat(
                params.ignoreEnd() ? Stream.empty() : endTokenIds.stream(),
                params.stopTokenIds().stream())
            .mapToInt(Integer::intValue)
            .sorted()
            .distinct()
            .toArray();
    final int[] biasTokens = new int[params.logitBias().size()];
    final float[] biases = new float[biasTokens.length];
    int i = 0;
    for (Map.Entry<Integer, Float> entry : params.logitBias().entrySet()) {
      biasTokens[i] = entry.getKey();
      biases[i++] = entry.getValue();
    }
    return new LogitRules(stopTokens, biasTokens, biases);
  }

  boolean isStop(int token) {
    for (int stopToken : stopTokens) {
      if (stopToken == token) return true;
    }
    return false;
  }
}
