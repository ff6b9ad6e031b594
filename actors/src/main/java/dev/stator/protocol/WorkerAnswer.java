package dev.stator.protocol;

import dev.stator.engine.FinishReason;
import dev.stator.engine.RequestId;
import dev.stator.engine.SampledToken;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;

/** From a decode worker to a session node, which hands each part to its session. */
public sealed interface WorkerAnswer extends ClusterMessage {
  /** The tokens of one engine step for all sequences of the receiving node. */
  record TokenBatch(WorkerId worker, List<SequenceTokens> sequences) implements WorkerAnswer {
    public TokenBatch {
      sequences = List.copyOf(sequences);
    }
  }

  /** A limit stands in the way; nothing was taken. Fields as in the engine's refusal. */
  record Refused(
      RequestId id,
      int attempt,
      WorkerId worker,
      String limit,
      long value,
      long max,
      boolean passing)
      implements WorkerAnswer {}

  /**
   * A sequence ended here without an answer, its blocks free again.
   *
   * @param elsewhere whether another worker may do better
   */
  record Lost(RequestId id, int attempt, WorkerId worker, String reason, boolean elsewhere)
      implements WorkerAnswer {}

  /**
   * What a worker runs for the receiving node; told every reconcile interval. Sequences that nobody
   * waits for there are cancelled.
   */
  record Running(WorkerId worker, ActorRef<DecodeCommand> decode, List<RunningSequence> sequences)
      implements WorkerAnswer {
    public Running {
      sequences = List.copyOf(sequences);
    }
  }

  /**
   * A sequence that runs or waits at a worker.
   *
   * @param sentTokens answer tokens that the session has been sent, those that came with the
   *     request included
   */
  record RunningSequence(RequestId id, int attempt, int sentTokens) {}

  /**
   * One sequence's part of a batch.
   *
   * @param attempt the placement these tokens belong to
   * @param firstIndex index of the first token within the answer, from 0; shows a hole
   * @param finish why the sequence ended; {@code null} while it goes on
   * @param cachedTokens prompt tokens that were found, not computed
   * @param embedding of a request for one, with its end; else {@code null}
   */
  record SequenceTokens(
      RequestId id,
      int attempt,
      int firstIndex,
      List<SampledToken> tokens,
      FinishReason finish,
      int cachedTokens,
      float[] embedding) {
    public SequenceTokens {
      tokens = List.copyOf(tokens);
    }

    /** Without an embedding. */
    public SequenceTokens(
        RequestId id,
        int attempt,
        int firstIndex,
        List<SampledToken> tokens,
        FinishReason finish,
        int cachedTokens) {
      this(id, attempt, firstIndex, tokens, finish, cachedTokens, null);
    }

    /** Without the tokens before {@code index}, which are known already. */
    public SequenceTokens from(int index) {
      if (index <= firstIndex) return this;
      final List<SampledToken> rest =
          tokens.subList(Math.min(tokens.size(), index - firstIndex), tokens.size());
      return new SequenceTokens(id, attempt, index, rest, finish, cachedTokens, embedding);
    }
  }
}
