package dev.stator.model;

/**
 * The shape of a dense decoder-only transformer: what the file says, checked, in one place.
 *
 * <p>One layer is {@code x += attention(rmsNorm(x)); x += down(silu(gate(rmsNorm(x))) *
 * up(rmsNorm(x)))}. Families differ only in the flags: Llama and Mistral set none of them, Qwen2
 * has {@code attentionBias}, Qwen3 has {@code queryKeyNorm}.
 *
 * @param architecture family name as the file gives it: {@code llama}, {@code mistral}, {@code
 *     qwen2}, {@code qwen3}
 * @param hiddenSize values of the residual stream
 * @param intermediateSize values of the feed-forward layer's gate
 * @param headCount query heads
 * @param keyValueHeadCount key and value heads; divides {@code headCount}
 * @param headSize values of one head; even
 * @param contextLength positions the model was made for
 * @param rmsNormEpsilon added to the mean square before the root
 * @param ropeLayout which values of a head form a rotated pair
 * @param attentionBias whether the query, key and value projections have biases
 * @param queryKeyNorm whether each query and key head is RMS-normalised before the rotation
 * @param tiedEmbeddings whether the output head is the token embedding
 */
public record ModelConfig(
    String architecture,
    int layerCount,
    int hiddenSize,
    int intermediateSize,
    int headCount,
    int keyValueHeadCount,
    int headSize,
    int vocabularySize,
    int contextLength,
    float rmsNormEpsilon,
    float ropeTheta,
    RopeScaling ropeScaling,
    RopeLayout ropeLayout,
    boolean attentionBias,
    boolean queryKeyNorm,
    boolean tiedEmbeddings) {

  /** Which two values of a head are rotated together. */
  public enum RopeLayout {
    /**
     * Values 2i and 2i+1: GGUF files of the Llama family, whose query and key rows were permuted
     * for it.
     */
    INTERLEAVED,
    /** Values i and i + headSize/2: Hugging Face files, and GGUF files of the Qwen families. */
    HALVES
  }

  /**
   * @throws ModelFormatException when a value is outside its range or two values contradict each
   *     other
   */
  public ModelConfig {
    requirePositive("layer count", layerCount);
    requirePositive("hidden size", hiddenSize);
    requirePositive("intermediate size", intermediateSize);
    requirePositive("head count", headCount);
    requirePositive("key/value head count", keyValueHeadCount);
    requirePositive("head size", headSize);
    requirePositive("vocabulary size", vocabularySize);
    requirePositive("context length", contextLength);
    if (headCount % keyValueHeadCount != 0) {
      throw new ModelFormatException(
          "head count "
              + headCount
              + " is not a multiple of key/value head count "
              + keyValueHeadCount);
    }
    if ((long) headCount * headSize > Integer.MAX_VALUE) {
      throw new ModelFormatException(
          headCount + " heads of " + headSize + " values are out of range");
    }
    if (headSize % 2 != 0) throw new ModelFormatException("head size must be even: " + headSize);
    if (!(rmsNormEpsilon >= 0 && rmsNormEpsilon < 1)) {
      throw new ModelFormatException("RMS norm epsilon must be in [0, 1): " + rmsNormEpsilon);
    }
    if (!(ropeTheta > 0 && Float.isFinite(ropeTheta))) {
      throw new ModelFormatException("rope theta must be positive: " + ropeTheta);
    }
    if (ropeScaling instanceof RopeScaling.PerPair(float[] divisors)
        && divisors.length != headSize / 2) {
      throw new ModelFormatException(
          divisors.length + " rope divisors do not fit heads of " + headSize + " values");
    }
  }

  /** Values of all query heads together. */
  public int querySize() {
    return headCount * headSize;
  }

  /** Values of all key heads together; as many for the value heads. */
  public int keyValueSize() {
    return keyValueHeadCount * headSize;
  }

  /** This shape for fewer positions. */
  public ModelConfig withContextLength(int positions) {
    return new ModelConfig(
        architecture,
        layerCount,
        hiddenSize,
        intermediateSize,
        headCount,
        keyValueHeadCount,
        headSize,
        vocabularySize,
        positions,
        rmsNormEpsilon,
        ropeTheta,
        ropeScaling,
        ropeLayout,
        attentionBias,
        queryKeyNorm,
        tiedEmbeddings);
  }

  /** This shape with fewer vocabulary entries. */
  public ModelConfig withVocabularySize(int entries) {
    return new ModelConfig(
        architecture,
        layerCount,
        hiddenSize,
        intermediateSize,
        headCount,
        keyValueHeadCount,
        headSize,
        entries,
        contextLength,
        rmsNormEpsilon,
        ropeTheta,
        ropeScaling,
        ropeLayout,
        attentionBias,
        queryKeyNorm,
        tiedEmbeddings);
  }

  private static void requirePositive(String what, int value) {
    if (value <= 0) throw new ModelFormatException(what + " must be positive: " + value);
  }
}
