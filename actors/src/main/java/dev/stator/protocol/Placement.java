package dev.stator.protocol;

import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * Where a sequence runs, and why.
 *
 * @param numerics the worker's fingerprint
 * @param overlapBlocks leading blocks expected at {@code worker}
 * @param prefill who sends the prompt's blocks; {@code null} when the worker computes them itself
 * @param sources where cached blocks beyond {@code overlapBlocks} can be pulled from, longest first
 * @param candidates the decode workers compared, cheapest first; the first few
 * @param reason in words why the prompt's blocks come from where they come
 */
public record Placement(
    WorkerId worker,
    String numerics,
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

  /** With those of {@code found} that have more than the worker itself, in their order. */
  public Placement withSources(List<BlockSource> found) {
    final List<BlockSource> elsewhere =
        found.stream()
            .filter(source -> source.blockCount() > overlapBlocks)
            .filter(source -> !source.worker().equals(worker))
            .toList();
    return new Placement(
        worker, numerics, decode, overlapBlocks, prefill, elsewhere, candidates, reason);
  }

  /** A worker that sends the prompt's blocks. */
  public record Prefiller(WorkerId worker, ActorRef<PrefillCommand> prefill) {}

  /**
   * Who sends the prompt's blocks.
   *
   * @param pull whether only blocks that are cached there are sent, and none is computed
   * @param others who can take over, best first
   */
  public record PrefillPlan(Prefiller first, boolean pull, List<Prefiller> others) {
    public PrefillPlan {
      others = List.copyOf(others);
    }
  }

  /** A place that holds the first {@code blockCount} blocks of the sequence. */
  public record BlockSource(WorkerId worker, KvTier tier, int blockCount) {}

  /**
   * What a worker would have cost, in block computations.
   *
   * @param pullBlocks blocks it would get from another worker's cache
   * @param prefillTokens prompt tokens it would have to compute, with those it already owes
   * @param decodeBlocks blocks that its sequences would hold
   */
  public record Candidate(
      WorkerId worker,
      int overlapBlocks,
      int pullBlocks,
      long prefillTokens,
      long decodeBlocks,
      double cost) {}
}
