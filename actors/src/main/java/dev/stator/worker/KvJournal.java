package dev.stator.worker;

import dev.stator.kv.BlockHash;
import dev.stator.kv.KvEvent;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Numbers a worker's KV events of one tier and knows what they add up to. Bounded by the tier's
 * blocks: one is in here while it can be found. One thread.
 */
final class KvJournal {
  private final Set<BlockHash> findable = new LinkedHashSet<>();
  private long nextSequence;

  /** Takes the events of one step; returns the number of the first. */
  long append(List<KvEvent> events) {
    final long first = nextSequence;
    for (KvEvent event : events) {
      switch (event) {
        case KvEvent.Stored stored -> findable.addAll(stored.blocks());
        case KvEvent.Removed removed -> removed.blocks().forEach(findable::remove);
      }
    }
    nextSequence += events.size();
    return first;
  }

  /** The number of the next event. */
  long nextSequence() {
    return nextSequence;
  }

  /** All blocks that can be found now, in parts; at least one part. */
  List<List<BlockHash>> dump(int partBlocks) {
    final List<List<BlockHash>> parts = Parts.of(new ArrayList<>(findable), partBlocks);
    return parts.isEmpty() ? List.of(List.of()) : parts;
  }
}
