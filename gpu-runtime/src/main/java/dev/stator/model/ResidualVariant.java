package dev.stator.model;

/**
 * How a family's residual stream differs from the plain one.
 *
 * @param embeddingScale factor of the token embeddings; 1 for none
 * @param normOffset added to every norm's weight: 1 where files hold the weights less 1, else 0
 * @param postNorms whether the outputs of attention and feed-forward layer are RMS-normalised
 *     before they are added
 * @param logitCap logits become {@code cap * tanh(logit / cap)}; 0 for none
 */
public record ResidualVariant(
    float embeddingScale, float normOffset, boolean postNorms, float logitCap) {
  public static final ResidualVariant PLAIN = new ResidualVariant(1, 0, false, 0);

  public ResidualVariant {
    AttentionVariant.requireNotNegative("embedding scale", embeddingScale);
    AttentionVariant.requireNotNegative("logit softcap", logitCap);
  }
}
