package dev.stator.transport;

import java.lang.foreign.MemorySegment;

/** Memory in blocks of one length, off-heap. Its owner keeps it alive while it is registered. */
public interface BlockMemory {
  int blockCount();

  long blockBytes();

  /** The bytes of a block, readable and writable by any thread. */
  MemorySegment block(int blockIndex);

  /**
   * One region cut into blocks.
   *
   * @throws IllegalArgumentException when the region is not a whole number of blocks
   */
  static BlockMemory of(MemorySegment region, long blockBytes) {
    if (blockBytes <= 0 || region.byteSize() % blockBytes != 0) {
      throw new IllegalArgumentException(
          region.byteSize() + " bytes are not a whole number of blocks of " + blockBytes);
    }
    final int blockCount = Math.toIntExact(region.byteSize() / blockBytes);
    return new BlockMemory() {
      @Override
      public int blockCount() {
        return blockCount;
      }

      @Override
      public long blockBytes() {
        return blockBytes;
      }

      @Override
      public MemorySegment block(int blockIndex) {
        return region.asSlice(blockIndex * blockBytes, blockBytes);
      }
    };
  }
}
