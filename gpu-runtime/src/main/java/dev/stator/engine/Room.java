package dev.stator.engine;

import dev.stator.engine.Sequence.Kind;
import dev.stator.kv.BlockPool;
import java.util.List;

/**
 * Whether a sequence may take its blocks: the rules by which somebody always progresses, see {@link
 * Scheduler}, whose lists it reads.
 *
 * <p><b>Threads:</b> the engine's.
 */
final class Room {
  /** What a sequence finds in the cache: its first blocks, and how many of them nobody uses now. */
  record Prefix(int foundBlocks, int unusedBlocks) {}

  private final EngineSettings settings;
  private final BlockPool pool;
  private final List<Sequence> waiting;
  private final List<Sequence> running;
  private final List<Sequence> reserved;
  private int pinnedBlocks;

  Room(
      EngineSettings settings,
      BlockPool pool,
      List<Sequence> waiting,
      List<Sequence> running,
      List<Sequence> reserved) {
    this.settings = settings;
    this.pool = pool;
    this.waiting = waiting;
    this.running = running;
    this.reserved = reserved;
  }

  void pin(Sequence sequence) {
    sequence.pinnedBlocks = sequence.table().count();
    pinnedBlocks += sequence.pinnedBlocks;
  }

  void unpin(Sequence sequence) {
    pinnedBlocks -= sequence.pinnedBlocks;
    sequence.pinnedBlocks = 0;
  }

  int pinnedBlocks() {
    return pinnedBlocks;
  }

  // Each: which limit refuses; null when none does.

  /** To hold blocks until its owner goes on: only beside all who wait. */
  Admission.Refused toReserve(Sequence sequence, Prefix prefix) {
    final int lone = sequence.blocksNow() + neededByWaiting(neededByOthers(sequence));
    return refusal(sequence, prefix, lone, waiting.size(), blocksForWaiting());
  }

  /** To hold blocks that are cached. */
  Admission.Refused toLend(Sequence sequence, Prefix prefix) {
    final int lone = sequence.blocksNow() + neededByWaiting(neededByOthers(sequence));
    return blockRefusal(sequence, prefix, lone, 0);
  }

  /** To run. */
  Admission.Refused toStart(Sequence sequence, Prefix prefix) {
    final boolean pins = sequence.kind() == Kind.PREFILL;
    final int lone = pins ? sequence.blocksNow() + neededByOthers(sequence) : sequence.blocksMax();
    return refusal(sequence, prefix, lone, 0, 0);
  }

  /** To hold, in place of running, the same blocks until copies have ended. */
  Admission.Refused toLoad(Sequence sequence, Prefix prefix) {
    return blockRefusal(sequence, prefix, sequence.blocksNow() + neededByOthers(sequence), 0);
  }

  /**
   * @param lone blocks that must not be pinned yet
   * @param sequencesAhead sequences that have a right to a slot before it
   * @param blocksAhead blocks that others have a right to before it
   */
  private Admission.Refused refusal(
      Sequence sequence, Prefix prefix, int lone, int sequencesAhead, int blocksAhead) {
    final int slots = running.size() + reserved.size() + sequencesAhead + 1;
    if (slots > settings.runningMax()) {
      return new Admission.Refused("engine.running-max", slots, settings.runningMax(), true);
    }
    return blockRefusal(sequence, prefix, lone, blocksAhead);
  }

  private Admission.Refused blockRefusal(
      Sequence sequence, Prefix prefix, int lone, int blocksAhead) {
    final long available = pool.availableCount() - prefix.unusedBlocks - blocksAhead;
    final long growth = (long) settings.growthBlocks() * running.size();
    final long needed = sequence.blocksNow() - prefix.foundBlocks + growth;
    if (needed > available) {
      return new Admission.Refused("device.block-count", needed, Math.max(0, available), true);
    }
    final int pinnable = pool.blockCount() - pinnedBlocks;
    if (lone > pinnable) return new Admission.Refused("device.block-count", lone, pinnable, true);
    return null;
  }

  /**
   * The most blocks that one answer, running or about to, may come to need beyond its pinned ones.
   */
  private int neededByOthers(Sequence newcomer) {
    int most = newcomer.kind() == Kind.ANSWER ? newcomer.blocksMax() - newcomer.blocksNow() : 0;
    for (Sequence sequence : running) {
      if (sequence.kind() == Kind.ANSWER) most = Math.max(most, sequence.blocksMax());
    }
    for (Sequence sequence : reserved) {
      most = Math.max(most, sequence.blocksMax() - sequence.pinnedBlocks);
    }
    return most;
  }

  /**
   * The most blocks that one waiting sequence must find unpinned before it starts, so that
   * reservations, which do not queue, cannot hold it up for good.
   *
   * @param neededByAnswers what {@link #neededByOthers} gives; the least that is returned
   */
  private int neededByWaiting(int neededByAnswers) {
    int most = neededByAnswers;
    for (Sequence sequence : waiting) {
      final boolean pins = sequence.kind() == Kind.PREFILL;
      most = Math.max(most, sequence.blocksMax() + (pins ? neededByAnswers : 0));
    }
    return most;
  }

  /**
   * Blocks with which all waiting sequences could start in the next step: before they do, each
   * running one may take one, and those that are reserved may be running, with room to grow.
   */
  private int blocksForWaiting() {
    if (waiting.isEmpty()) return 0;
    final int tokens = waiting.stream().mapToInt(Sequence::blocksNow).sum();
    final int growth = settings.growthBlocks() * (reserved.size() + waiting.size());
    return tokens + running.size() + growth;
  }
}
