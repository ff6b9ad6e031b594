package dev.stator.request;

import dev.stator.engine.FinishReason;
import java.time.Duration;
import java.util.List;

/**
 * What a client sees of its generation, in order.
 *
 * <pre>
 *   (Delta* Finished) for each choice, interleaved, then Completed
 *   anything, then Failed
 * </pre>
 *
 * The stream ends after {@link Completed} or {@link Failed}, always with exactly one of them.
 */
public sealed interface GenerationEvent {
  /**
   * More text of a choice. A slow reader gets fewer and longer deltas.
   *
   * @param text whole characters; may be empty when only {@code tokens} is news
   * @param tokenCount answer tokens since the last delta
   * @param logprobs of these tokens; empty unless asked for
   */
  record Delta(int choiceIndex, String text, int tokenCount, List<TokenLogprob> logprobs)
      implements GenerationEvent {
    public Delta {
      logprobs = List.copyOf(logprobs);
    }
  }

  /** A choice has ended. */
  record Finished(int choiceIndex, FinishReason reason) implements GenerationEvent {}

  /** All choices have ended. */
  record Completed(Usage usage) implements GenerationEvent {}

  /**
   * The generation cannot go on; blocks and sessions are free again.
   *
   * @param message for the user
   * @param retryAfter when trying again makes sense; {@code null} when it does not
   */
  record Failed(Kind kind, String message, Duration retryAfter) implements GenerationEvent {
    /** What the failure is, for the status code. */
    public enum Kind {
      /** The request can never be served, such as a prompt longer than the context. */
      INVALID,
      /** No such model. */
      UNKNOWN_MODEL,
      /** A limit is reached: queue, blocks. */
      OVERLOADED,
      /** No worker, or shutting down. */
      UNAVAILABLE,
      /** A bug, or a broken device. */
      INTERNAL
    }
  }

  /**
   * A token with its log-probability, as text and bytes.
   *
   * @param bytes the token's own bytes; part of a character for some tokens
   */
  record TokenLogprob(String token, byte[] bytes, float logprob, List<TokenLogprob> top) {
    public TokenLogprob {
      top = List.copyOf(top);
    }
  }

  /**
   * Tokens counted over all choices; the prompt once.
   *
   * @param cachedTokens prompt tokens whose blocks were found, not computed
   */
  record Usage(int promptTokens, int completionTokens, int cachedTokens) {}
}
