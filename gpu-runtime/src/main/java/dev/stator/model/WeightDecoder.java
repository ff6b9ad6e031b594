package dev.stator.model;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Stored weights as float32 values, one plain formula a type: the reference that every kernel is
 * tested against. Each product and each sum is rounded to float32 by itself, as in {@code
 * ggml-quants.c} of the ggml project, whose block layouts these are.
 *
 * <p>Any thread; slow.
 */
public final class WeightDecoder {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private WeightDecoder() {}

  /** The values of one row, as many as the matrix has columns; a fresh array. */
  public static float[] row(WeightMatrix matrix, int rowIndex) {
    final float[] values = new float[matrix.columnCount()];
    decode(matrix.type(), matrix.row(rowIndex), 0, values, 0, values.length);
    return values;
  }

  /** All values, row after row; a fresh array. For small matrices. */
  public static float[] all(WeightMatrix matrix) {
    final int columnCount = matrix.columnCount();
    final float[] values = new float[Math.multiplyExact(matrix.rowCount(), columnCount)];
    decode(matrix.type(), matrix.data(), 0, values, 0, values.length);
    return values;
  }

  /**
   * Decodes {@code count} values, a whole number of blocks, into {@code target}.
   *
   * @param offset of the first block in {@code data}, bytes
   */
  public static void decode(
      WeightType type,
      MemorySegment data,
      long offset,
      float[] target,
      int targetIndex,
      int count) {
    final int blockCount = (int) (type.byteSize(count) / type.blockBytes());
    for (int i = 0; i < blockCount; i++) {
      decodeBlock(
          type,
          data,
          offset + (long) i * type.blockBytes(),
          target,
          targetIndex + i * type.blockLength());
    }
  }

  private static void decodeBlock(
      WeightType type, MemorySegment data, long block, float[] target, int index) {
    switch (type) {
      case F32 -> target[index] = data.get(FLOAT, block);
      case F16 -> target[index] = half(data, block);
      case BF16 -> target[index] = Float.intBitsToFloat(data.get(SHORT, block) << 16);
      case Q8_0 -> decodeQ8_0(data, block, target, index);
      case Q4_0 -> decodeQ4_0(data, block, target, index);
      case Q4_K -> decodeQ4K(data, block, target, index);
      case Q5_K -> decodeQ5K(data, block, target, index);
      case Q6_K -> decodeQ6K(data, block, target, index);
    }
  }

  /** Scale: f16, then 32 signed bytes; value = byte * scale. */
  private static void decodeQ8_0(MemorySegment data, long block, float[] target, int index) {
    final float scale = half(data, block);
    for (int i = 0; i < 32; i++) {
      target[index + i] = data.get(ValueLayout.JAVA_BYTE, block + 2 + i) * scale;
    }
  }

  /**
   * Scale: f16, then 16 bytes; byte i holds value i in its low nibble and value i + 16 in its high
   * one; value = (nibble - 8) * scale.
   */
  private static void decodeQ4_0(MemorySegment data, long block, float[] target, int index) {
    final float scale = half(data, block);
    for (int i = 0; i < 16; i++) {
      final int both = byteAt(data, block + 2 + i);
      target[index + i] = ((both & 0xF) - 8) * scale;
      target[index + i + 16] = ((both >> 4) - 8) * scale;
    }
  }

  /**
   * <pre>
   *   0       2       4                     16                                             144
   *   | scale | min   | 8 x (scale, min)    | 4 x 32 bytes: low nibbles are group 2j, high ones 2j + 1 |
   * </pre>
   *
   * value = scale * groupScale * nibble - min * groupMin
   */
  private static void decodeQ4K(MemorySegment data, long block, float[] target, int index) {
    final float scale = half(data, block);
    final float min = half(data, block + 2);
    for (int group = 0; group < 8; group++) {
      final float groupScale = scale * groupScale(data, block + 4, group);
      final float groupMin = min * groupMin(data, block + 4, group);
      final long nibbles = block + 16 + (group / 2) * 32;
      for (int i = 0; i < 32; i++) {
        final int value = byteAt(data, nibbles + i) >> (4 * (group % 2)) & 0xF;
        target[index + group * 32 + i] = groupScale * value - groupMin;
      }
    }
  }

  /**
   * <pre>
   *   0       2       4                     16                            48                    176
   *   | scale | min   | 8 x (scale, min)    | 32 bytes: bit g of byte i   | nibbles as in Q4_K  |
   *   |       |       |                     | is bit 4 of value i, group g|                     |
   * </pre>
   *
   * value = scale * groupScale * fiveBits - min * groupMin
   */
  private static void decodeQ5K(MemorySegment data, long block, float[] target, int index) {
    final float scale = half(data, block);
    final float min = half(data, block + 2);
    for (int group = 0; group < 8; group++) {
      final float groupScale = scale * groupScale(data, block + 4, group);
      final float groupMin = min * groupMin(data, block + 4, group);
      final long nibbles = block + 48 + (group / 2) * 32;
      for (int i = 0; i < 32; i++) {
        final int low = byteAt(data, nibbles + i) >> (4 * (group % 2)) & 0xF;
        final int high = byteAt(data, block + 16 + i) >> group & 1;
        target[index + group * 32 + i] = groupScale * (low + 16 * high) - groupMin;
      }
    }
  }

  /**
   * <pre>
   *   0                  128               192                   208     210
   *   | 128 bytes: low 4 | 64 bytes: high 2 | 16 signed scales   | scale |
   * </pre>
   *
   * Each half of 128 values has 64 low and 32 high bytes; value i of quarter q (32 values) has its
   * low bits in nibble q / 2 of low byte i + 32 * (q % 2), its high bits in bits 2q of high byte i.
   * value = scale * groupScale * (sixBits - 32), a group being 16 values.
   */
  private static void decodeQ6K(MemorySegment data, long block, float[] target, int index) {
    final float scale = half(data, block + 208);
    for (int i = 0; i < 256; i++) {
      final int half = i / 128;
      final int quarter = i % 128 / 32;
      final int low =
          byteAt(data, block + half * 64 + quarter % 2 * 32 + i % 32) >> (4 * (quarter / 2)) & 0xF;
      final int high = byteAt(data, block + 128 + half * 32 + i % 32) >> (2 * quarter) & 3;
      final float groupScale = scale * data.get(ValueLayout.JAVA_BYTE, block + 192 + i / 16);
      target[index + i] = groupScale * ((low | high << 4) - 32);
    }
  }

  /**
   * The six-bit scale of a group, from the 12 bytes that hold eight scales and eight minimums: byte
   * g has scale g in its low six bits for g below 4; for others byte g + 4 has the low nibble, the
   * top bits of byte g - 4 the rest.
   */
  public static int groupScale(MemorySegment data, long offset, int group) {
    return group < 4
        ? byteAt(data, offset + group) & 63
        : byteAt(data, offset + group + 4) & 0xF | byteAt(data, offset + group - 4) >> 6 << 4;
  }

  /**
   * The six-bit minimum of a group: as {@link #groupScale}, from bytes g + 4 and the high nibbles.
   */
  public static int groupMin(MemorySegment data, long offset, int group) {
    return group < 4
        ? byteAt(data, offset + group + 4) & 63
        : byteAt(data, offset + group + 4) >> 4 | byteAt(data, offset + group) >> 6 << 4;
  }

  private static int byteAt(MemorySegment data, long offset) {
    return data.get(ValueLayout.JAVA_BYTE, offset) & 0xFF;
  }

  private static float half(MemorySegment data, long offset) {
    return Float.float16ToFloat(data.get(SHORT, offset));
  }
}
