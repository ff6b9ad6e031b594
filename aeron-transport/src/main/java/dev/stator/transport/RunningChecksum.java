package dev.stator.transport;

import java.lang.foreign.MemorySegment;
import java.util.zip.CRC32C;

/**
 * CRC32C of a block that is filled piece by piece: taken along while pieces come in order, taken
 * anew at the end when they did not. <b>Threads:</b> one at a time.
 */
final class RunningChecksum {
  private final CRC32C crc = new CRC32C();
  private long doneBytes; // -1: out of order.

  /** These bytes of the block have just been written. */
  void update(MemorySegment block, long offset, long bytes) {
    if (offset == doneBytes) {
      crc.update(block.asSlice(offset, bytes).asByteBuffer());
      doneBytes += bytes;
    } else if (bytes > 0) {
      doneBytes = -1;
    }
  }

  int of(MemorySegment block) {
    return doneBytes == block.byteSize() ? (int) crc.getValue() : Checksums.crc32c(block);
  }
}
