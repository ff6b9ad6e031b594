package dev.stator.transport;

import java.lang.foreign.MemorySegment;
import java.util.zip.CRC32C;

/** CRC32C over memory segments. */
public final class Checksums {
  private static final long SLICE_BYTES = 1L << 30; // A ByteBuffer ends at 2 GiB.

  private Checksums() {}

  /** CRC32C of the bytes, which are off-heap or a byte array. */
  public static int crc32c(MemorySegment bytes) {
    final CRC32C crc = new CRC32C();
    for (long offset = 0; offset < bytes.byteSize(); offset += SLICE_BYTES) {
      crc.update(
          bytes.asSlice(offset, Math.min(SLICE_BYTES, bytes.byteSize() - offset)).asByteBuffer());
    }
    return (int) crc.getValue();
  }
}
