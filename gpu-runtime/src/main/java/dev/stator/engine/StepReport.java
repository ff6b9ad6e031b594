package dev.stator.engine;

import dev.stator.kv.KvEvent;
import java.util.List;

/**
 * What one engine step has done.
 *
 * @param progress of every sequence with news, each at most once
 * @param failures of sequences that cannot go on and have ended; every other one is untouched. One
 *     may have chosen tokens before, which are in {@code progress}
 * @param events what happened to full blocks of the device, in order
 * @param hostEvents what happened to full blocks of the host tier, in order
 * @param preemptedCount sequences that lost their blocks in this step and will compute them again
 * @param batchTokenCount tokens computed
 * @param batchDraftCount of these, guesses of next tokens
 * @param batchSequenceCount sequences computed
 */
public record StepReport(
    List<Progress> progress,
    List<Failure> failures,
    List<KvEvent> events,
    List<KvEvent> hostEvents,
    int preemptedCount,
    int batchTokenCount,
    int batchDraftCount,
    int batchSequenceCount) {
  public StepReport {
    progress = List.copyOf(progress);
    failures = List.copyOf(failures);
    events = List.copyOf(events);
    hostEvents = List.copyOf(hostEvents);
  }

  /**
   * A sequence that ended without an answer, its blocks free again. The same request fails the same
   * way elsewhere.
   *
   * @param reason one sentence
   */
  public record Failure(RequestId id, String reason) {}

  /**
   * One sequence's news.
   *
   * @param tokens chosen in this step, in order; empty while its prompt is being computed
   * @param fullBlocks device blocks of a prefill-only sequence that are full since the last news,
   *     in sequence order; their bytes stay until {@link Engine#release} or {@link Engine#cancel}
   * @param finish why it ended; {@code null} while it goes on. A prefill-only sequence ends with
   *     {@link FinishReason#LENGTH}
   * @param cachedTokens prompt tokens that were found, not computed, when it was first scheduled
   * @param embedding of a request that asked for one, as it ends; else {@code null}. Not normalised
   */
  public record Progress(
      RequestId id,
      List<SampledToken> tokens,
      List<Integer> fullBlocks,
      FinishReason finish,
      int cachedTokens,
      float[] embedding) {
    public Progress {
      tokens = List.copyOf(tokens);
      fullBlocks = List.copyOf(fullBlocks);
    }

    /** Without an embedding. */
    public Progress(
        RequestId id,
        List<SampledToken> tokens,
        List<Integer> fullBlocks,
        FinishReason finish,
        int cachedTokens) {
      this(id, tokens, fullBlocks, finish, cachedTokens, null);
    }
  }
}
