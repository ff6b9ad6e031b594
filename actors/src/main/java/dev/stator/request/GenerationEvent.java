package dev.stator.request;

import dev.stator.engine.FinishReason;
import dev.stator.protocol.Placement;
import java.time.Duration;
import java.util.List;

/**
 * What a client sees of its generation, in order.
 *
 * <pre>
 *   ((Placed* Delta)* Embedded? Finished) for each choice, interleaved, then Completed
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

  /**
   * A choice was placed at a worker; told before the next delta, to a call that asks for it.
   *
   * @param attempt 0, and one more each time it is placed anew
   * @param worker the slot that decodes it
   * @param cachedBlocks leading blocks that the worker was expected to hold
   * @param prefiller the slot that sends the prompt's blocks; {@code null} when the worker computes
   *     them itself
   * @param pulls whether the prefiller sends only what it has cached
   * @param reason in words why the prompt's blocks come from where they come
   * @param candidates the workers compared, cheapest first
   */
  record Placed(
      int choiceIndex,
      int attempt,
      String worker,
      int cachedBlocks,
      String prefiller,
      boolean pulls,
      String reason,
      List<Placement.Candidate> candidates)
      implements GenerationEvent {
    public Placed {
      candidates = List.copyOf(candidates);
    }

    static Placed of(Choice choice) {
      final Placement placement = choice.placement();
      final Placement.PrefillPlan plan = placement.prefill();
      return new Placed(
          choice.index(),
          choice.attempt(),
          placement.worker().slot(),
          placement.overlapBlocks(),
          plan == null ? null : plan.first().worker().slot(),
          plan != null && plan.pull(),
          placement.reason(),
          placement.candidates());
    }

    /** The same of another choice. */
    public Placed of(int otherChoice) {
      return new Placed(
          otherChoice, attempt, worker, cachedBlocks, prefiller, pulls, reason, candidates);
    }
  }

  /**
   * The embedding that a call asked for, before its choice has ended.
   *
   * @param values not normalised; never written
   */
  record Embedded(int choiceIndex, float[] values) implements GenerationEvent {}

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
