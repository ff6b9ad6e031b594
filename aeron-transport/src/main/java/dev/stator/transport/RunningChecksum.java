package dev.stator.transport;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * CRC32C of a block that is filled piece by piece: taken along while pieces come in order, taken
 * anew at the end when they did not. <b>Threads:</b> one at a time.
 */
final class RunningChecksum {
  private final CRC32C crc = new CRC32C();
  private long doneBytes; // -1: out of order.

  /** These bytes of the block, from position to limit, have just been written at this offset. */
  void update(ByteBuffer piece, long offset) {
    final int length = piece.remaining();
    if (offset == doneBytes) {
      crc.update(piece);
      doneBytes += length;
    } else if (length > 0) {
      doneBytes = -1;
    }
  }

  int of(MemorySegment block) {
    return doneBytes == block.byteSize() ? (int) crc.getValue() : Checksums.crc32c(block);
  }
}
