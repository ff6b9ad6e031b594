package dev.stator.model;

/**
 * How a family's feed-forward layer differs from the plain one, {@code down(silu(gate(x)) *
 * up(x))}.
 *
 * @param experts {@code null} when each layer is one dense network
 */
public record FeedForwardVariant(Activation activation, Experts experts) {
  public static final FeedForwardVariant PLAIN = new FeedForwardVariant(Activation.SILU, null);

  /** What the gate goes through. */
  public enum Activation {
    SILU,
    /** {@code 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))}. */
    GELU_TANH
  }

  /**
   * A mixture of experts: a token goes through the {@code usedCount} experts of the largest router
   * logits, and their outputs are added, each times its share of the router's softmax.
   *
   * @param intermediateSize values of one expert's gate
   * @param renormalises whether the shares of the chosen experts are scaled to a sum of 1
   * @param sharedSize values of the gate of an expert that every token goes through, its output
   *     times the sigmoid of a gate of its own; 0 when there is none
   */
  public record Experts(
      int count, int usedCount, int intermediateSize, boolean renormalises, int sharedSize) {
    public Experts {
      if (count <= 0 || usedCount <= 0 || usedCount > count) {
        throw new ModelFormatException(
            "%d of %d experts are used, expected 1 to all of them".formatted(usedCount, count));
      }
      if (intermediateSize <= 0) {
        throw new ModelFormatException(
            "expert intermediate size must be positive: " + intermediateSize);
      }
      if (sharedSize < 0) {
        throw new ModelFormatException(
            "shared expert intermediate size must not be negative: " + sharedSize);
      }
    }
  }
}
