package dev.stator.model.file;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.SplittableRandom;

/** Ways to break a file, drawn from a seed. */
final class Mutations {
  private static final long[] NUMBERS = {
    0,
    1,
    -1,
    2,
    31,
    127,
    255,
    1L << 16,
    1L << 20,
    Integer.MAX_VALUE,
    1L << 31,
    0xFFFF_FFFFL,
    1L << 32,
    1L << 40,
    1L << 56,
    1L << 62,
    Long.MAX_VALUE,
    Long.MIN_VALUE
  };

  private Mutations() {}

  /**
   * Changes {@code original} in one or several places, all of them before {@code end}, or cuts it.
   */
  static byte[] mutate(byte[] original, int end, SplittableRandom random) {
    byte[] bytes = original.clone();
    final int changeCount = 1 + random.nextInt(3);
    for (int i = 0; i < changeCount; i++) {
      final int offset = random.nextInt(Math.min(end, bytes.length - Long.BYTES));
      switch (random.nextInt(6)) {
        case 0 -> bytes[offset] ^= (byte) (1 << random.nextInt(8));
        case 1 -> bytes[offset] = (byte) random.nextInt();
        case 2 -> put(bytes, offset, Long.BYTES, NUMBERS[random.nextInt(NUMBERS.length)]);
        case 3 -> put(bytes, offset, Integer.BYTES, NUMBERS[random.nextInt(NUMBERS.length)]);
        case 4 -> put(bytes, offset, Long.BYTES, bytes.length + random.nextInt(-64, 64));
        default -> bytes = cut(bytes, offset, random);
      }
      if (bytes.length <= Long.BYTES) return bytes;
    }
    return bytes;
  }

  /** Truncates, or takes out some bytes so that all that follows is shifted. */
  private static byte[] cut(byte[] bytes, int offset, SplittableRandom random) {
    if (random.nextBoolean()) return Arrays.copyOf(bytes, offset);
    final int length = Math.min(bytes.length - offset, 1 + random.nextInt(16));
    final byte[] shorter = Arrays.copyOf(bytes, bytes.length - length);
    System.arraycopy(bytes, offset + length, shorter, offset, shorter.length - offset);
    return shorter;
  }

  private static void put(byte[] bytes, int offset, int byteCount, long value) {
    final byte[] encoded =
        ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
    System.arraycopy(encoded, 0, bytes, offset, byteCount);
  }
}
