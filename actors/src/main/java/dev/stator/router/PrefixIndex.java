package dev.stator.router;

import dev.stator.kv.BlockHash;
import dev.stator.kv.KvEvent;
import dev.stator.protocol.WorkerId;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which worker can find which block, exactly, as far as their events say.
 *
 * <pre>
 *   a worker's feed: (unknown) --follow--&gt; WAITING_FOR_DUMP --last part--&gt; FOLLOWING
 *                                              ^---- a hole in the numbers ----'
 * </pre>
 *
 * What was known before a hole stays until the dump replaces it. One thread.
 */
public final class PrefixIndex {
  /** What became of a message from a feed. */
  public enum Outcome {
    /** The index has followed it. */
    APPLIED,
    /** Nothing new, or nothing that can be used now. */
    IGNORED,
    /** Something is missing: a dump is needed. */
    GAP
  }

  private static final class Feed {
    final Set<BlockHash> blocks = new HashSet<>();
    boolean waitsForDump = true;
    long nextSequence;
    int nextPart;
  }

  private final Map<WorkerId, Feed> feeds = new HashMap<>();
  private final Map<BlockHash, Set<WorkerId>> holders = new HashMap<>();
  private long pairs;

  /** From now on this worker's events count, once a dump has arrived. */
  public void follow(WorkerId worker) {
    feeds.computeIfAbsent(worker, id -> new Feed());
  }

  public boolean follows(WorkerId worker) {
    return feeds.containsKey(worker);
  }

  /** Nothing of this worker counts any more. */
  public void forget(WorkerId worker) {
    final Feed feed = feeds.remove(worker);
    if (feed == null) return;
    for (BlockHash block : feed.blocks) removeHolder(block, worker);
  }

  /**
   * @param firstSequence number of the first event
   */
  public Outcome apply(WorkerId worker, long firstSequence, List<KvEvent> events) {
    final Feed feed = feeds.get(worker);
    if (feed == null || feed.waitsForDump) return Outcome.IGNORED;
    if (firstSequence > feed.nextSequence) {
      awaitDump(feed);
      return Outcome.GAP;
    }
    final int known = (int) Math.min(events.size(), feed.nextSequence - firstSequence);
    for (KvEvent event : events.subList(known, events.size())) {
      switch (event) {
        case KvEvent.Stored stored -> stored.blocks().forEach(block -> add(worker, feed, block));
        case KvEvent.Removed gone -> gone.blocks().forEach(block -> remove(worker, feed, block));
      }
    }
    feed.nextSequence += events.size() - known;
    return known < events.size() ? Outcome.APPLIED : Outcome.IGNORED;
  }

  /**
   * @param nextSequence number of the first event that is not in the dump
   * @param partIndex parts come in order, from 0
   */
  public Outcome applyDump(
      WorkerId worker, long nextSequence, int partIndex, boolean last, List<BlockHash> blocks) {
    final Feed feed = feeds.get(worker);
    if (feed == null || !feed.waitsForDump) return Outcome.IGNORED;
    if (partIndex == 0) {
      feed.nextPart = 0;
      feed.nextSequence = nextSequence;
      for (BlockHash block : List.copyOf(feed.blocks)) remove(worker, feed, block);
    }
    if (partIndex != feed.nextPart || nextSequence != feed.nextSequence) {
      awaitDump(feed);
      return Outcome.GAP;
    }
    feed.nextPart++;
    for (BlockHash block : blocks) add(worker, feed, block);
    feed.waitsForDump = !last;
    return Outcome.APPLIED;
  }

  private static void awaitDump(Feed feed) {
    feed.waitsForDump = true;
    feed.nextPart = 0;
  }

  public boolean waitsForDump(WorkerId worker) {
    final Feed feed = feeds.get(worker);
    return feed != null && feed.waitsForDump;
  }

  /**
   * How many leading blocks of a sequence each worker holds; workers with none are not in it.
   *
   * @param blocks in sequence order
   */
  public Map<WorkerId, Integer> match(List<BlockHash> blocks) {
    final Map<WorkerId, Integer> matches = new HashMap<>();
    Set<WorkerId> alive = null; // Those that have held every block so far.
    for (int index = 0; index < blocks.size(); index++) {
      final Set<WorkerId> here = holders.get(blocks.get(index));
      if (here == null) break;
      if (alive == null) alive = new HashSet<>(here);
      else alive.retainAll(here);
      if (alive.isEmpty()) break;
      for (WorkerId worker : alive) matches.put(worker, index + 1);
    }
    return matches;
  }

  /** (block, worker) pairs. */
  public long pairs() {
    return pairs;
  }

  private void add(WorkerId worker, Feed feed, BlockHash block) {
    if (!feed.blocks.add(block)) return;
    holders.computeIfAbsent(block, hash -> new HashSet<>(2)).add(worker);
    pairs++;
  }

  private void remove(WorkerId worker, Feed feed, BlockHash block) {
    if (feed.blocks.remove(block)) removeHolder(block, worker);
  }

  private void removeHolder(BlockHash block, WorkerId worker) {
    final Set<WorkerId> here = holders.get(block);
    here.remove(worker);
    pairs--;
    if (here.isEmpty()) holders.remove(block);
  }
}
