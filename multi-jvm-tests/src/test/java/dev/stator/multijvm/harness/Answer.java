package dev.stator.multijvm.harness;

import java.time.Duration;

/**
 * What a stream brought.
 *
 * @param text all of it, joined
 * @param logprobs the JSON of its log probabilities, joined; empty when none were asked for
 * @param finish the finish reason; {@code null} when the stream ended without one
 * @param completionTokens as the usage says
 * @param error what went wrong, in words; {@code null} for nothing
 * @param longestPause between two events
 */
public record Answer(
    String text,
    String logprobs,
    String finish,
    int completionTokens,
    String error,
    Duration longestPause) {
  /** What must not depend on anything but the question. */
  public record Bytes(String text, String logprobs, String finish, int completionTokens) {}

  /**
   * @throws AssertionError when the stream failed
   */
  public Bytes bytes() {
    if (error != null)
      throw new AssertionError("the stream failed: " + error + "; so far: " + text);
    return new Bytes(text, logprobs, finish, completionTokens);
  }
}
