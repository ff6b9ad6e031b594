package dev.stator.transport;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * Memory in blocks of one length. Its owner keeps it alive while it is registered.
 *
 * <p><b>Threads:</b> any.
 */
public interface BlockMemory {
  int blockCount();

  BlockGeometry geometry();

  /**
   * A block to be read, as it is now.
   *
   * @return closed by the caller; {@code null} when nothing more can be held at the moment, and
   *     trying again later helps
   * @throws RuntimeException when the memory is broken
   */
  HeldBlock read(int blockIndex);

  /**
   * A block to be written. Nobody else writes or reads it meanwhile.
   *
   * @return closed by the caller; {@code null} as for {@link #read}
   * @throws RuntimeException when the memory is broken
   */
  BlockDraft draft(int blockIndex);

  /**
   * The file that every block lies in, when other processes may map it; only of memory that the CPU
   * addresses.
   */
  default Optional<SharedMemory> shared() {
    return Optional.empty();
  }

  /** Copies to other memories of this process past the CPU; only of memory that has such a way. */
  default Optional<StraightCopies> straight() {
    return Optional.empty();
  }

  /** The device that the blocks lie in, when other processes may pull from it. */
  default Optional<DevicePool> devicePool() {
    return Optional.empty();
  }

  /**
   * One region cut into blocks.
   *
   * @throws IllegalArgumentException when the region is not a whole number of blocks
   */
  static DirectBlocks of(MemorySegment region, BlockGeometry geometry) {
    return new BlockRegion(region, geometry, Optional.empty());
  }

  /** {@link #of(MemorySegment, BlockGeometry)} where the layout is of no interest. */
  static DirectBlocks of(MemorySegment region, long blockBytes) {
    return of(region, new BlockGeometry(blockBytes, BlockGeometry.PLAIN));
  }

  /** A shared region cut into blocks. */
  static DirectBlocks of(SharedMemory region, BlockGeometry geometry) {
    return new BlockRegion(region.segment(), geometry, Optional.of(region));
  }
}
