package dev.stator.transport;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
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

  /**
   * The same of bytes that the caller keeps open meanwhile.
   *
   * @param bytes fewer than 2 GiB
   */
  public static int crc32cOfHeld(MemorySegment bytes) {
    final CRC32C crc = new CRC32C();
    crc.update(heldView(bytes));
    return (int) crc.getValue();
  }

  /**
   * Bytes to take checksums of, which the caller keeps open meanwhile. Those of a shared arena
   * count their readers otherwise: an atomic operation a piece, which waits for all that has just
   * been copied to leave the core, and which threads fight over.
   */
  @SuppressWarnings("restricted") // Its own address and length.
  public static ByteBuffer heldView(MemorySegment bytes) {
    if (!bytes.isNative()) return bytes.asByteBuffer();
    return MemorySegment.ofAddress(bytes.address()).reinterpret(bytes.byteSize()).asByteBuffer();
  }
}
