package dev.stator.transport.shared;

import dev.stator.transport.BlockWrite;
import dev.stator.transport.Checksums;
import dev.stator.transport.SharedMemory;
import dev.stator.transport.TransferStatus;
import java.lang.foreign.MemorySegment;

/**
 * A block to be sent through shared memory.
 *
 * @param pool that it lies in, or is staged in
 * @param slot where it is to be staged, {@code null} when it lies in the pool itself
 */
record Parcel(BlockWrite write, SharedMemory pool, Staging.Slot slot) {
  /** Checksum of a block, and where in the pool it lies. */
  record Sealed(int checksum, long offset) {}

  /** Of the receiver. */
  String agent() {
    return write.grant().agent().agent();
  }

  long bytes() {
    return write.grant().geometry().blockBytes();
  }

  /**
   * Takes the checksum, and stages what has to be; from then on it is the other process that reads.
   *
   * @return {@code null} when the write has been withdrawn
   */
  Sealed seal() {
    final MemorySegment source = write.acquire();
    if (source == null) return null;
    MemorySegment block = source;
    try {
      if (slot != null) block = slot.block().copyFrom(source);
      final int checksum =
          slot != null ? Checksums.crc32c(block) : Checksums.crc32cOfHeld(block); // By the write.
      return new Sealed(checksum, block.address() - pool.segment().address());
    } finally {
      write.release();
    }
  }

  void end(TransferStatus status) {
    free();
    write.complete(status);
  }

  /** Whether it was given up by its writer; then nothing is left of it. */
  boolean isDropped() {
    if (!write.hasEnded()) return false;
    free();
    return true;
  }

  void free() {
    if (slot != null) slot.free();
  }
}
