package dev.stator.transport;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** Memory in blocks of one length, off-heap. Its owner keeps it alive while it is registered. */
public interface BlockMemory {
  int blockCount();

  BlockGeometry geometry();

  /** The bytes of a block, readable and writable by any thread. */
  MemorySegment block(int blockIndex);

  /** The file that every block lies in, when other processes may map it. */
  default Optional<SharedMemory> shared() {
    return Optional.empty();
  }

  /**
   * One region cut into blocks.
   *
   * @throws IllegalArgumentException when the region is not a whole number of blocks
   */
  static BlockMemory of(MemorySegment region, BlockGeometry geometry) {
    return new BlockRegion(region, geometry, Optional.empty());
  }

  /** {@link #of(MemorySegment, BlockGeometry)} where the layout is of no interest. */
  static BlockMemory of(MemorySegment region, long blockBytes) {
    return of(region, new BlockGeometry(blockBytes, BlockGeometry.PLAIN));
  }

  /** A shared region cut into blocks. */
  static BlockMemory of(SharedMemory region, BlockGeometry geometry) {
    return new BlockRegion(region.segment(), geometry, Optional.of(region));
  }
}
