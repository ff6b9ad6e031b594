package dev.stator.transport;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** A region in blocks that a device has, and others of its like get at. */
public record LentBlocks(MemorySegment region, BlockGeometry geometry, FakeDevice lender)
    implements DirectBlocks {
  public LentBlocks(MemorySegment region, int blockBytes) {
    this(
        region,
        new BlockGeometry(blockBytes, BlockGeometry.PLAIN),
        new FakeDevice(region, blockBytes));
  }

  @Override
  public int blockCount() {
    return (int) (region.byteSize() / geometry.blockBytes());
  }

  @Override
  public MemorySegment block(int blockIndex) {
    throw new AssertionError("a block goes past the device");
  }

  @Override
  public Optional<DevicePool> devicePool() {
    return Optional.of(lender);
  }
}
