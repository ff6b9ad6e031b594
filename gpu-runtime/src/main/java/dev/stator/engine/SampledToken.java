package dev.stator.engine;

import java.util.List;

/**
 * One token of an answer.
 *
 * @param logprob natural logarithm of its probability; NaN unless asked for
 * @param alternatives the likeliest tokens, likeliest first; empty unless asked for
 */
public record SampledToken(int tokenId, float logprob, List<Alternative> alternatives) {
  /** A token that could have been chosen. */
  public record Alternative(int tokenId, float logprob) {}

  public SampledToken {
    alternatives = List.copyOf(alternatives);
  }
}
