package dev.stator.model;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Finds weights that would poison every answer: values, or scales of blocks, that are infinite or
 * not a number. It reads only the exponents of a block's scales, but a block is less than a cache
 * line, so the cost is one pass over memory.
 *
 * <p>Any thread.
 */
public final class WeightScan {
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final long EACH_SHORT = 0x0001_0001_0001_0001L;
  private static final long EACH_BYTE = 0x0101_0101_0101_0101L;
  private static final long BYTE_SIGNS = 0x8080_8080_8080_8080L;
  private static final long SHORT_SIGNS = 0x8000_8000_8000_8000L;
  private static final int F32_EXPONENT = 0x7F80_0000;
  private static final int F16_EXPONENT = 0x7C00;
  private static final int BF16_EXPONENT = 0x7F80;

  private WeightScan() {}

  /**
   * @throws ModelFormatException naming the tensor and the first row with such a value
   */
  public static void requireFinite(WeightMatrix matrix) {
    requireFinite(matrix, 0, matrix.rowCount());
  }

  /**
   * The same of rows {@code [first, end)}.
   *
   * @throws ModelFormatException naming the tensor and the first row with such a value
   */
  public static void requireFinite(WeightMatrix matrix, int first, int end) {
    final long rowBytes = matrix.type().byteSize(matrix.columnCount());
    final MemorySegment rows = matrix.data().asSlice(first * rowBytes, (end - first) * rowBytes);
    if (isFinite(matrix.type(), rows)) return;
    int rowIndex = first;
    while (isFinite(matrix.type(), matrix.row(rowIndex))) rowIndex++;
    throw new ModelFormatException(
        "tensor %s has a value that is not finite in row %d".formatted(matrix.name(), rowIndex));
  }

  private static boolean isFinite(WeightType type, MemorySegment data) {
    return switch (type) {
      case F32 -> areFloatsFinite(data);
      case F16 -> areAllHalvesFinite(data, F16_EXPONENT);
      case BF16 -> areAllHalvesFinite(data, BF16_EXPONENT);
      case Q8_0, Q4_0, Q5_0, IQ4_NL -> areHalvesFinite(data, 0, type.blockBytes(), F16_EXPONENT);
      case Q4_1, Q5_1, Q4_K, Q5_K ->
          areHalvesFinite(data, 0, type.blockBytes(), F16_EXPONENT)
              && areHalvesFinite(data, Short.BYTES, type.blockBytes(), F16_EXPONENT);
      case Q2_K ->
          areHalvesFinite(data, 80, type.blockBytes(), F16_EXPONENT)
              && areHalvesFinite(data, 82, type.blockBytes(), F16_EXPONENT);
      case Q3_K, Q6_K ->
          areHalvesFinite(data, type.blockBytes() - Short.BYTES, type.blockBytes(), F16_EXPONENT);
      case F8_E4M3 -> areBytesFinite(data);
    };
  }

  /** No number is 0x7F or 0xFF; eight at a time: one more sets the bit above the seven. */
  private static boolean areBytesFinite(MemorySegment data) {
    final long length = data.byteSize();
    final long lengthOfEights = length - length % Long.BYTES;
    long carries = 0;
    for (long offset = 0; offset < lengthOfEights; offset += Long.BYTES) {
      carries |= (data.get(LONG, offset) & ~BYTE_SIGNS) + EACH_BYTE;
    }
    for (long offset = lengthOfEights; offset < length; offset++) {
      carries |= (data.get(ValueLayout.JAVA_BYTE, offset) & 0x7F) + 1;
    }
    return (carries & BYTE_SIGNS) == 0;
  }

  private static boolean areFloatsFinite(MemorySegment data) {
    final long length = data.byteSize();
    for (long offset = 0; offset < length; offset += Float.BYTES) {
      if ((data.get(INT, offset) & F32_EXPONENT) == F32_EXPONENT) return false;
    }
    return true;
  }

  /**
   * Looks at 16-bit floats that lie side by side, four at a time: one added to the lowest bit of an
   * exponent of all ones sets the bit above it.
   */
  private static boolean areAllHalvesFinite(MemorySegment data, int exponent) {
    final long exponents = exponent * EACH_SHORT;
    final long ones = (exponent & -exponent) * EACH_SHORT;
    final long length = data.byteSize();
    final long lengthOfFours = length - length % Long.BYTES;
    long carries = 0;
    for (long offset = 0; offset < lengthOfFours; offset += Long.BYTES) {
      carries |= (data.get(LONG, offset) & exponents) + ones;
    }
    if ((carries & SHORT_SIGNS) != 0) return false;
    return areHalvesFinite(data.asSlice(lengthOfFours), 0, Short.BYTES, exponent);
  }

  /** Looks at the 16-bit floats that lie {@code stride} bytes apart. */
  private static boolean areHalvesFinite(MemorySegment data, int start, int stride, int exponent) {
    final long length = data.byteSize();
    for (long offset = start; offset < length; offset += stride) {
      if ((data.get(SHORT, offset) & exponent) == exponent) return false;
    }
    return true;
  }
}
