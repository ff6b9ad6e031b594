package dev.stator.model;

/**
 * The shape of a decoder-only transformer: what the file says, checked, in one place.
 *
 * <p>One layer is {@code x += attention(rmsNorm(x)); x += down(silu(gate(rmsNorm(x))) *
 * up(rmsNorm(x)))}. Families differ only in flags and variants: Llama sets none of them, Qwen2 has
 * {@code attentionBias}, Qwen3 has {@code queryKeyNorm}, Gemma all three variants, Mixtral and the
 * Qwen mixtures have {@link FeedForwardVariant#experts}.
 *
 * @param architecture family name as the file gives it
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
    boolean tiedEmbeddings,
    AttentionVariant attention,
    FeedForwardVariant feedForward,
    ResidualVariant residual) {

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
    if (attention.rotatedSize() > headSize) {
      throw new ModelFormatException(
          attention.rotatedSize() + " values of heads of " + headSize + " are rotated");
    }
    requireFits(ropeScaling, attention.rotatedSize() == 0 ? headSize : attention.rotatedSize());
    final AttentionVariant.Window window = attention.window();
    if (window != null && window.layers().size() != layerCount) {
      throw new ModelFormatException(
          window.layers().size() + " kinds of attention do not fit " + layerCount + " layers");
    }
  }

  /** A model whose layers are the plain ones. */
  public ModelConfig(
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
    this(
        architecture,
        layerCount,
        hiddenSize,
        intermediateSize,
        headCount,
        keyValueHeadCount,
        headSize,
        vocabularySize,
        contextLength,
        rmsNormEpsilon,
        ropeTheta,
        ropeScaling,
        ropeLayout,
        attentionBias,
        queryKeyNorm,
        tiedEmbeddings,
        AttentionVariant.PLAIN,
        FeedForwardVariant.PLAIN,
        ResidualVariant.PLAIN);
  }

  private static void requireFits(RopeScaling scaling, int rotatedSize) {
    final int divisors =
        switch (scaling) {
          case RopeScaling.PerPair perPair -> perPair.divisors().length;
          case RopeScaling.LongRope longRope -> longRope.longDivisors().length;
          default -> rotatedSize / 2;
        };
    if (divisors != rotatedSize / 2) {
      throw new ModelFormatException(
          divisors + " rope divisors do not fit heads of " + rotatedSize + " values");
    }
  }

  /** Values of a head that are rotated. */
  public int rotatedSize() {
    return attention.rotatedSize() == 0 ? headSize : attention.rotatedSize();
  }

  /** Factor of attention scores. */
  public float attentionScale() {
    return attention.scale() == 0 ? (float) (1 / Math.sqrt(headSize)) : attention.scale();
  }

  /** Whether a layer sees no more than the sliding window. */
  public boolean isWindowed(int layerIndex) {
    return attention.window() != null && attention.window().layers().get(layerIndex);
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
    return with(vocabularySize, positions, ropeScaling, attention, feedForward, residual);
  }

  /** This shape with fewer vocabulary entries. */
  public ModelConfig withVocabularySize(int entries) {
    return with(entries, contextLength, ropeScaling, attention, feedForward, residual);
  }

  /** This shape with the rotation that a server of so many positions uses. */
  public ModelConfig withRopeScalingFor(int positions) {
    return with(
        vocabularySize,
        contextLength,
        ropeScaling.chosenFor(positions),
        attention,
        feedForward,
        residual);
  }

  /** This shape with layers of other variants. */
  public ModelConfig with(
      AttentionVariant newAttention,
      FeedForwardVariant newFeedForward,
      ResidualVariant newResidual) {
    return with(
        vocabularySize, contextLength, ropeScaling, newAttention, newFeedForward, newResidual);
  }

  private ModelConfig with(
      int entries,
      int positions,
      RopeScaling scaling,
      AttentionVariant newAttention,
      FeedForwardVariant newFeedForward,
      ResidualVariant newResidual) {
    return new ModelConfig(
        architecture,
        layerCount,
        hiddenSize,
        intermediateSize,
        headCount,
        keyValueHeadCount,
        headSize,
        entries,
        positions,
        rmsNormEpsilon,
        ropeTheta,
        scaling,
        ropeLayout,
        attentionBias,
        queryKeyNorm,
        tiedEmbeddings,
        newAttention,
        newFeedForward,
        newResidual);
  }

  private static void requirePositive(String what, int value) {
    if (value <= 0) throw new ModelFormatException(what + " must be positive: " + value);
  }
}
