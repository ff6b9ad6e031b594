package dev.stator.kv;

import java.util.Arrays;

/**
 * Finds a block by its hash: open addressing with linear probing, at most half full, nothing
 * allocated after construction. The hashes are cryptographic, so their low bits are slots as they
 * are.
 */
final class HashIndex {
  static final int ABSENT = -1;

  private final int mask;
  private final long[] high;
  private final long[] low;
  private final int[] blocks;
  private int size;

  HashIndex(int capacity) {
    final int slots = Integer.highestOneBit(Math.max(2, capacity) * 2 - 1) << 1;
    this.mask = slots - 1;
    this.high = new long[slots];
    this.low = new long[slots];
    this.blocks = new int[slots];
    Arrays.fill(blocks, ABSENT);
  }

  int size() {
    return size;
  }

  /** The block of this hash, or {@link #ABSENT}. */
  int get(BlockHash hash) {
    return blocks[slotOf(hash)];
  }

  /** Adds a hash that is not there. */
  void put(BlockHash hash, int block) {
    final int slot = slotOf(hash);
    if (blocks[slot] != ABSENT) throw new IllegalStateException("hash " + hash + " is there");
    high[slot] = hash.high();
    low[slot] = hash.low();
    blocks[slot] = block;
    size++;
  }

  /** Removes a hash that is there; the entries behind it close the gap. */
  void remove(BlockHash hash) {
    int gap = slotOf(hash);
    if (blocks[gap] == ABSENT) throw new IllegalStateException("hash " + hash + " is not there");
    size--;
    for (int slot = gap + 1 & mask; blocks[slot] != ABSENT; slot = slot + 1 & mask) {
      final int home = (int) low[slot] & mask;
      final boolean mayMove = (slot - home & mask) >= (slot - gap & mask);
      if (!mayMove) continue;
      high[gap] = high[slot];
      low[gap] = low[slot];
      blocks[gap] = blocks[slot];
      gap = slot;
    }
    blocks[gap] = ABSENT;
  }

  private int slotOf(BlockHash hash) {
    int slot = (int) hash.low() & mask;
    while (blocks[slot] != ABSENT && (low[slot] != hash.low() || high[slot] != hash.high())) {
      slot = slot + 1 & mask;
    }
    return slot;
  }
}
