package dev.stator.kv;

import java.util.Arrays;

/**
 * The blocks of one sequence, by position: token {@code p} lies in block {@code p / blockSize}. The
 * table holds one use of each of its blocks.
 */
public final class BlockTable {
  private static final int[] NO_BLOCKS = {};

  private int[] blocks = NO_BLOCKS;
  private int count;

  public int count() {
    return count;
  }

  /** The device block at an index of the sequence. */
  public int block(int index) {
    if (index >= count) throw new IndexOutOfBoundsException(index + " of " + count + " blocks");
    return blocks[index];
  }

  /**
   * The table itself, at least {@link #count} long; valid, and not to be written, until the next
   * change.
   */
  public int[] blocks() {
    return blocks;
  }

  /** Takes over one use of {@code block}. */
  public void append(int block) {
    if (count == blocks.length) blocks = Arrays.copyOf(blocks, Math.max(4, count * 2));
    blocks[count++] = block;
  }

  /** Puts another block of the same content in a place; the use of the old one is the caller's. */
  public void replace(int index, int block) {
    if (index >= count) throw new IndexOutOfBoundsException(index + " of " + count + " blocks");
    blocks[index] = block;
  }

  /** Gives every use back, last block first: so a parent is always released after its children. */
  public void releaseAll(BlockPool pool) {
    while (count > 0) pool.release(blocks[--count]);
  }
}
