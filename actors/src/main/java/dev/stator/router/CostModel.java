package dev.stator.router;

import dev.stator.protocol.Placement.Candidate;
import dev.stator.protocol.WorkerDescription;
import dev.stator.protocol.WorkerId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Compares workers for a sequence. In blocks:
 *
 * <pre>
 *   cost = prefill-weight * (owed prefill tokens + uncached tokens) / block size
 *        + decode-weight  * (held blocks + the sequence's blocks)
 * </pre>
 *
 * the least wins, among equals the one with fewer requests, then any (the form of NVIDIA Dynamo's
 * KV router). The winner prefills itself unless the uncached part of the prompt is long, both
 * absolutely and as a share, and a dedicated prefill worker with equal numerics is not busier than
 * allowed. One thread.
 */
public final class CostModel {
  /**
   * A worker as it stands now.
   *
   * @param overlapBlocks leading blocks of the sequence that it holds
   * @param load booked, or more when the book cannot know
   */
  public record Option(WorkerDescription description, int overlapBlocks, LoadBook.Load load) {
    WorkerId id() {
      return description.id();
    }

    long uncachedTokens(int tokenCount) {
      return Math.max(0, tokenCount - (long) overlapBlocks * description.blockSize());
    }
  }

  /**
   * What was chosen.
   *
   * @param prefill {@code null} when the decode worker prefills itself
   * @param candidates cheapest first
   * @param reason the prefill decision in words
   */
  public record Decision(
      Option decode, Option prefill, List<Candidate> candidates, String reason) {}

  private final RouterSettings settings;
  private final RandomGenerator random;

  public CostModel(RouterSettings settings, RandomGenerator random) {
    this.settings = settings;
    this.random = random;
  }

  /**
   * @param decoders at least one
   * @param prefillers workers that could prefill; those of other numerics are passed over
   * @param tokenCount tokens of the sequence so far
   */
  public Decision decide(
      List<Option> decoders, List<Option> prefillers, int tokenCount, int maxNewTokens) {
    final List<Candidate> candidates = new ArrayList<>();
    Option best = null;
    Candidate bestCandidate = null;
    int equals = 0;
    for (Option option : decoders) {
      final Candidate candidate = candidate(option, tokenCount, maxNewTokens);
      candidates.add(candidate);
      final int order = best == null ? -1 : compare(option, candidate, best, bestCandidate);
      equals = order < 0 ? 1 : order == 0 ? equals + 1 : equals;
      if (order < 0 || (order == 0 && random.nextInt(equals) == 0)) {
        best = option;
        bestCandidate = candidate;
      }
    }
    candidates.sort(Comparator.comparingDouble(Candidate::cost));
    return withPrefill(best, prefillers, tokenCount, candidates);
  }

  /** Blocks that a sequence is expected to hold at a worker. */
  public long expectedBlocks(WorkerDescription worker, int tokenCount, int maxNewTokens) {
    final long answerTokens = Math.min(maxNewTokens, settings.expectedAnswerTokens());
    return Math.ceilDiv(tokenCount + answerTokens, worker.blockSize());
  }

  private Candidate candidate(Option option, int tokenCount, int maxNewTokens) {
    final long prefillTokens = option.load().prefillTokens() + option.uncachedTokens(tokenCount);
    final long blocks =
        option.load().blocks() + expectedBlocks(option.description(), tokenCount, maxNewTokens);
    final double cost =
        settings.prefillWeight() * prefillTokens / option.description().blockSize()
            + settings.decodeWeight() * blocks;
    return new Candidate(option.id(), option.overlapBlocks(), prefillTokens, blocks, cost);
  }

  private static int compare(Option a, Candidate costOfA, Option b, Candidate costOfB) {
    final int byCost = Double.compare(costOfA.cost(), costOfB.cost());
    return byCost != 0 ? byCost : Integer.compare(a.load().requests(), b.load().requests());
  }

  private Decision withPrefill(
      Option decode, List<Option> prefillers, int tokenCount, List<Candidate> candidates) {
    final long uncached = decode.uncachedTokens(tokenCount);
    final double share = (double) uncached / tokenCount;
    final Option prefill = leastBusy(decode, prefillers, tokenCount);
    final String local;
    if (prefill == null) {
      local = "local: no prefill worker";
    } else if (uncached < settings.remotePrefillMinTokens()) {
      local = "local: " + uncached + " uncached tokens are few";
    } else if (share < settings.remotePrefillMinShare()) {
      local = "local: uncached share %.2f is small".formatted(share);
    } else if (prefill.load().prefillTokens() >= settings.prefillQueueTokensMax()) {
      local = "local: prefill workers owe " + prefill.load().prefillTokens() + " tokens or more";
    } else {
      local = null;
    }
    if (local != null) return new Decision(decode, null, candidates, local);
    final String remote =
        "remote: %d uncached tokens, share %.2f, %s owes %d"
            .formatted(uncached, share, prefill.id(), prefill.load().prefillTokens());
    return new Decision(decode, prefill, candidates, remote);
  }

  private static Option leastBusy(Option decode, List<Option> prefillers, int tokenCount) {
    return prefillers.stream()
        .filter(option -> canPrefillFor(option, decode, tokenCount))
        .min(
            Comparator.comparingLong((Option option) ->
                    option.load().prefillTokens() + option.uncachedTokens(tokenCount))
                .thenComparing(option -> option.id().slot()))
        .orElse(null);
  }

  private static boolean canPrefillFor(Option option, Option decode, int tokenCount) {
    final WorkerDescription a = option.description();
    final WorkerDescription b = decode.description();
    return !a.id().equals(b.id())
        && a.fingerprint().equals(b.fingerprint())
        && a.blockSize() == b.blockSize()
        && a.blockBytes() == b.blockBytes()
        && a.contextLength() > tokenCount
        && a.totalBlocks() >= tokenCount / a.blockSize();
  }
}
