package dev.stator.transport.shared;

import dev.stator.transport.BlockKernels;
import dev.stator.transport.BlockWrite;
import dev.stator.transport.SharedMemory;
import dev.stator.transport.TransferStatus;
import dev.stator.transport.local.Outbox;
import java.lang.foreign.MemorySegment;

/**
 * A block to be sent through shared memory.
 *
 * @param pool that it lies in, or is staged in
 * @param slot where it is to be staged, {@code null} when it lies in the pool itself
 */
record Parcel(BlockWrite write, SharedMemory pool, Staging.Slot slot) implements Outbox.Item {
  /** Checksum of a block, and where in the pool it lies. */
  record Sealed(int checksum, long offset) {}

  @Override
  public String agent() {
    return write.grant().agent().agent();
  }

  @Override
  public long bytes() {
    return write.grant().geometry().blockBytes();
  }

  /**
   * Takes the checksum, and stages what has to be; from then on it is the other process that reads.
   *
   * @param source of the write, held by the caller
   */
  Sealed seal(MemorySegment source, BlockKernels kernels) {
    if (slot == null) {
      return new Sealed(kernels.crc32c(source), source.address() - pool.segment().address());
    }
    final MemorySegment block = slot.block().copyFrom(source);
    return new Sealed(kernels.crc32c(block), block.address() - pool.segment().address());
  }

  @Override
  public void end(TransferStatus status) {
    free();
    write.complete(status);
  }

  @Override
  public boolean isDropped() {
    if (!write.hasEnded()) return false;
    free();
    return true;
  }

  void free() {
    if (slot != null) slot.free();
  }
}
