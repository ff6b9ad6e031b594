package dev.stator.transport;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * By the JDK's means, which read a copy again for its checksum. <b>Threads:</b> any.
 *
 * @param obstacle why there is nothing faster; empty when this is what was wanted
 */
record JavaBlockKernels(String obstacle) implements BlockKernels {
  private static final int PIECE_BYTES = 8 * 1024; // Verified in the core's first cache.

  @Override
  public String title() {
    return obstacle.isEmpty() ? "Java" : "Java (" + obstacle + ")";
  }

  @Override
  public int crc32c(MemorySegment bytes) {
    return Checksums.crc32cOfHeld(bytes);
  }

  @Override
  public int copy(MemorySegment from, MemorySegment to) {
    final CRC32C crc = new CRC32C();
    final ByteBuffer view = Checksums.heldView(to);
    final int length = Math.toIntExact(from.byteSize());
    for (int at = 0; at < length; at += PIECE_BYTES) {
      final int end = Math.min(length, at + PIECE_BYTES);
      MemorySegment.copy(from, at, to, at, end - at);
      crc.update(view.limit(end).position(at));
    }
    return (int) crc.getValue();
  }
}
