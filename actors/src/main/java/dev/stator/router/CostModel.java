package dev.stator.router;

import dev.stator.protocol.Placement.Candidate;
import dev.stator.protocol.WorkRates;
import dev.stator.protocol.WorkerDescription;
import dev.stator.protocol.WorkerId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.random.RandomGenerator;

/**
 * Compares workers for a sequence, and for each whether missing blocks are computed there or pulled
 * from another worker's cache. In blocks:
 *
 * <pre>
 *   cost = prefill-weight  * (owed prefill tokens + tokens neither cached nor pulled) / block size
 *        + transfer-weight * blocks pulled
 *        + decode-weight   * (held blocks + the sequence's blocks)
 * </pre>
 *
 * the least wins, among equals the one with fewer requests, then any (the form of NVIDIA Dynamo's
 * KV router). What the winner has neither cached nor pulled is computed by itself, unless it is
 * long, both absolutely and as a share of the prompt, a dedicated prefill worker with equal
 * numerics is not busier than allowed, and sending is not slower than computing by what both have
 * measured: then that one computes it, and sends what it has cached as well. One thread.
 */
public final class CostModel {
  /**
   * A worker as it stands now.
   *
   * @param overlapBlocks leading blocks of the sequence that it holds
   * @param load booked, or more when the book cannot know
   * @param rates as the worker has measured them
   */
  public record Option(
      WorkerDescription description, int overlapBlocks, LoadBook.Load load, WorkRates rates) {
    WorkerId id() {
      return description.id();
    }

    long uncachedTokens(int tokenCount) {
      return Math.max(0, tokenCount - (long) overlapBlocks * description.blockSize());
    }
  }

  /**
   * Who could take part.
   *
   * @param decoders at least one
   * @param prefillers workers that could compute the prompt, and are asked for nothing else
   * @param sources workers that could send what they have cached
   */
  public record Field(List<Option> decoders, List<Option> prefillers, List<Option> sources) {}

  /**
   * What was chosen.
   *
   * @param prefillers who sends blocks, best first; empty when the decode worker computes all
   * @param pull whether only cached blocks are sent
   * @param prefillTokens to be computed, here or there
   * @param candidates cheapest first
   * @param reason in words
   */
  public record Decision(
      Option decode,
      List<Option> prefillers,
      boolean pull,
      long prefillTokens,
      List<Candidate> candidates,
      String reason) {
    /** Who computes the prompt. */
    Option prefill() {
      return pull || prefillers.isEmpty() ? decode : prefillers.getFirst();
    }
  }

  /** A decode worker with the sources of cached blocks that are worth it, best first. */
  private record Choice(Option decode, List<Option> sources, Candidate candidate) {
    long missingTokens(int tokenCount) {
      final long pulled = (long) candidate.pullBlocks() * decode.description().blockSize();
      return Math.max(0, decode.uncachedTokens(tokenCount) - pulled);
    }
  }

  private final RouterSettings settings;
  private final RandomGenerator random;

  public CostModel(RouterSettings settings, RandomGenerator random) {
    this.settings = settings;
    this.random = random;
  }

  /**
   * @param tokenCount tokens of the sequence so far
   */
  public Decision decide(Field field, int tokenCount, int maxNewTokens) {
    final List<Candidate> candidates = new ArrayList<>();
    Choice best = null;
    int equals = 0;
    for (Option option : field.decoders()) {
      final Choice choice = choice(option, field.sources(), tokenCount, maxNewTokens);
      candidates.add(choice.candidate());
      final int order = best == null ? -1 : compare(choice, best);
      equals = order < 0 ? 1 : order == 0 ? equals + 1 : equals;
      if (order < 0 || (order == 0 && random.nextInt(equals) == 0)) best = choice;
    }
    candidates.sort(Comparator.comparingDouble(Candidate::cost));
    return withPrefill(best, field.prefillers(), tokenCount, candidates);
  }

  /** Blocks that a sequence is expected to hold at a worker. */
  public long expectedBlocks(WorkerDescription worker, int tokenCount, int maxNewTokens) {
    final long answerTokens = Math.min(maxNewTokens, settings.expectedAnswerTokens());
    return Math.ceilDiv(tokenCount + answerTokens, worker.blockSize());
  }

  private Choice choice(Option option, List<Option> sources, int tokenCount, int maxNewTokens) {
    final Candidate alone = candidate(option, 0, tokenCount, maxNewTokens);
    final List<Option> able =
        sources.stream()
            .filter(other -> canSendTo(option, other))
            .filter(other -> pullable(option, other, tokenCount) >= settings.pullMinBlocks())
            .sorted(
                Comparator.comparingInt(Option::overlapBlocks)
                    .reversed()
                    .thenComparing(other -> other.load().prefillTokens())
                    .thenComparing(other -> other.id().slot()))
            .toList();
    if (able.isEmpty()) return new Choice(option, List.of(), alone);
    final int pullBlocks = pullable(option, able.getFirst(), tokenCount);
    final Candidate pulling = candidate(option, pullBlocks, tokenCount, maxNewTokens);
    return pulling.cost() < alone.cost()
        ? new Choice(option, able, pulling)
        : new Choice(option, List.of(), alone);
  }

  /** Full blocks before the last token that a source has beyond the worker's own. */
  private static int pullable(Option option, Option source, int tokenCount) {
    final int fullBlocks = (tokenCount - 1) / option.description().blockSize();
    return Math.min(source.overlapBlocks(), fullBlocks) - option.overlapBlocks();
  }

  private Candidate candidate(Option option, int pullBlocks, int tokenCount, int maxNewTokens) {
    final int blockSize = option.description().blockSize();
    final long prefillTokens =
        option.load().prefillTokens()
            + Math.max(0, option.uncachedTokens(tokenCount) - (long) pullBlocks * blockSize);
    final long blocks =
        option.load().blocks() + expectedBlocks(option.description(), tokenCount, maxNewTokens);
    final double cost =
        settings.prefillWeight() * prefillTokens / blockSize
            + settings.transferWeight() * pullBlocks
            + settings.decodeWeight() * blocks;
    return new Candidate(
        option.id(), option.overlapBlocks(), pullBlocks, prefillTokens, blocks, cost);
  }

  private static int compare(Choice a, Choice b) {
    final int byCost = Double.compare(a.candidate().cost(), b.candidate().cost());
    if (byCost != 0) return byCost;
    return Integer.compare(a.decode().load().requests(), b.decode().load().requests());
  }

  private Decision withPrefill(
      Choice choice, List<Option> prefillers, int tokenCount, List<Candidate> candidates) {
    final Option decode = choice.decode();
    final List<Option> able = leastBusyFirst(decode, prefillers, tokenCount);
    final Option prefill = able.isEmpty() ? null : able.getFirst();
    final long missing = choice.missingTokens(tokenCount);
    final double share = (double) missing / tokenCount;
    final String stays;
    if (prefill == null) {
      stays = "no prefill worker";
    } else if (missing < settings.remotePrefillMinTokens()) {
      stays = missing + " uncached tokens are few";
    } else if (share < settings.remotePrefillMinShare()) {
      stays = String.format(Locale.ROOT, "uncached share %.2f is small", share);
    } else if (prefill.load().prefillTokens() >= settings.prefillQueueTokensMax()) {
      stays = "prefill workers owe " + prefill.load().prefillTokens() + " tokens or more";
    } else {
      stays = slowWay(decode, prefill, missing);
    }
    if (stays == null) {
      final String remote =
          String.format(
              Locale.ROOT,
              "remote: %d uncached tokens, share %.2f, %s owes %d",
              missing,
              share,
              prefill.id().slot(),
              prefill.load().prefillTokens());
      final long there = prefill.uncachedTokens(tokenCount);
      return new Decision(decode, able, false, there, candidates, remote);
    }
    if (choice.sources().isEmpty()) {
      return new Decision(decode, List.of(), false, missing, candidates, "local: " + stays);
    }
    final String pull =
        "pull: %d blocks from %s; %s"
            .formatted(
                choice.candidate().pullBlocks(), choice.sources().getFirst().id().slot(), stays);
    return new Decision(decode, choice.sources(), true, missing, candidates, pull);
  }

  /** Why blocks should not be sent; {@code null} when they may, as far as is known. */
  private String slowWay(Option decode, Option prefill, long missingTokens) {
    final WorkerDescription description = decode.description();
    final double bytes =
        (double) missingTokens / description.blockSize() * description.blockBytes();
    final double sendSeconds = bytes / prefill.rates().sentBytesPerSecond();
    final double hereRate = decode.rates().promptTokensPerSecond();
    final double rate = Double.isNaN(hereRate) ? prefill.rates().promptTokensPerSecond() : hereRate;
    final double computeSeconds = missingTokens / rate;
    // Whatever is unknown is NaN, and nothing is larger than that.
    return sendSeconds > settings.remotePrefillTransferShareMax() * computeSeconds
        ? String.format(
            Locale.ROOT, "sending takes %.3f s, computing %.3f s", sendSeconds, computeSeconds)
        : null;
  }

  private static List<Option> leastBusyFirst(
      Option decode, List<Option> prefillers, int tokenCount) {
    return prefillers.stream()
        .filter(option -> canPrefillFor(option, decode, tokenCount))
        .sorted(
            Comparator.comparingLong((Option option) ->
                    option.load().prefillTokens() + option.uncachedTokens(tokenCount))
                .thenComparing(option -> option.id().slot()))
        .toList();
  }

  private static boolean canPrefillFor(Option option, Option decode, int tokenCount) {
    final WorkerDescription description = option.description();
    return canSendTo(decode, option)
        && description.contextLength() > tokenCount
        && description.totalBlocks() >= tokenCount / description.blockSize();
  }

  /** Blocks are shared between equal numerics only. */
  private static boolean canSendTo(Option decode, Option other) {
    final WorkerDescription a = other.description();
    final WorkerDescription b = decode.description();
    return !a.id().equals(b.id())
        && a.fingerprint().equals(b.fingerprint())
        && a.blockSize() == b.blockSize()
        && a.blockBytes() == b.blockBytes();
  }
}
