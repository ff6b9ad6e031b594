package dev.stator.transport;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** One region cut into blocks. */
record BlockRegion(MemorySegment region, BlockGeometry geometry, Optional<SharedMemory> shared)
    implements DirectBlocks {
  BlockRegion {
    if (region.byteSize() % geometry.blockBytes() != 0) {
      throw new IllegalArgumentException(
          region.byteSize()
              + " bytes are not a whole number of blocks of "
              + geometry.blockBytes());
    }
    Math.toIntExact(region.byteSize() / geometry.blockBytes());
  }

  @Override
  public int blockCount() {
    return (int) (region.byteSize() / geometry.blockBytes());
  }

  @Override
  public MemorySegment block(int blockIndex) {
    return region.asSlice(blockIndex * geometry.blockBytes(), geometry.blockBytes());
  }
}
