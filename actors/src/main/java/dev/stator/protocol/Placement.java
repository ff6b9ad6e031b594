package dev.stator.protocol;

import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * Where a sequence runs, and why.
 *
 * @param overlapBlocks leading blocks expected at {@code worker}
 * @param prefill who computes the prompt for it; {@code null} when the worker does it itself
 * @param sources where cached blocks beyond {@code overlapBlocks} can be pulled from, longest first
 * @param candidates the decode workers compared, cheapest first; the first few
 * @param reason the prefill decision in words
 */
public record Placement(
    WorkerId worker,
    ActorRef<DecodeCommand> decode,
    int overlapBlocks,
    PrefillPlan prefill,
    List<BlockSource> sources,
    List<Candidate> candidates,
    String reason) {
  public Placement {
    sources = List.copyOf(sources);
    candidates = List.copyOf(candidates);
  }

  /** A worker that computes the prompt and sends its blocks. */
  public record PrefillPlan(WorkerId worker, ActorRef<PrefillCommand> prefill) {}

  /** A place that holds the first {@code blockCount} blocks of the sequence. */
  public record BlockSource(WorkerId worker, KvTier tier, int blockCount) {}

  /**
   * What a worker would have cost, in block computations.
   *
   * @param prefillTokens prompt tokens it would have to compute, with those it already owes
   * @param decodeBlocks blocks that its sequences would hold
   */
  public record Candidate(
      WorkerId worker, int overlapBlocks, long prefillTokens, long decodeBlocks, double cost) {}
}
