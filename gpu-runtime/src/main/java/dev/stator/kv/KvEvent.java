package dev.stator.kv;

import java.util.List;

/**
 * What happened to a worker's full blocks; the router's index and the cache directory follow these.
 */
public sealed interface KvEvent {
  /**
   * Full blocks that can now be found by their hash.
   *
   * @param parent hash of the block before the first one; {@code null} at a sequence's start
   * @param blocks in sequence order
   */
  record Stored(BlockHash parent, List<BlockHash> blocks) implements KvEvent {
    public Stored {
      blocks = List.copyOf(blocks);
    }
  }

  /** Blocks that can no longer be found. */
  record Removed(List<BlockHash> blocks) implements KvEvent {
    public Removed {
      blocks = List.copyOf(blocks);
    }
  }
}
