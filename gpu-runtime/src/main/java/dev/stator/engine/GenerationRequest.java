package dev.stator.engine;

import dev.stator.model.Pooling;
import java.util.Arrays;
import java.util.Objects;

/**
 * One sequence to continue. A request that moved from another worker brings the answer so far as
 * tokens behind its prompt: limits and penalties count from {@code promptLength}, draws are keyed
 * by position, so it goes on with the same bytes.
 *
 * @param tokens prompt and answer so far; owned by the request, never written
 * @param promptLength how many of the tokens are the prompt; at least 1
 * @param cacheSalt keeps a tenant's blocks to itself; empty for shared
 * @param pooling makes an embedding of the tokens in place of an answer; {@code null} for an answer
 */
public record GenerationRequest(
    RequestId id,
    int[] tokens,
    int promptLength,
    SamplingParams sampling,
    String cacheSalt,
    Pooling pooling) {
  public GenerationRequest {
    Objects.requireNonNull(id);
    Objects.requireNonNull(sampling);
    Objects.requireNonNull(cacheSalt);
    if (promptLength <= 0 || promptLength > tokens.length) {
      throw new IllegalArgumentException(
          "prompt length " + promptLength + " of " + tokens.length + " tokens");
    }
  }

  /** Of an answer. */
  public GenerationRequest(
      RequestId id, int[] tokens, int promptLength, SamplingParams sampling, String cacheSalt) {
    this(id, tokens, promptLength, sampling, cacheSalt, null);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof GenerationRequest that
        && id.equals(that.id)
        && Arrays.equals(tokens, that.tokens)
        && promptLength == that.promptLength
        && sampling.equals(that.sampling)
        && cacheSalt.equals(that.cacheSalt)
        && pooling == that.pooling;
  }

  @Override
  public int hashCode() {
    return Objects.hash(id, Arrays.hashCode(tokens), promptLength, sampling, cacheSalt, pooling);
  }
}
