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

  /** The values that IQ4_NL's nibbles number: closer together around zero. */
  private static final byte[] NON_LINEAR = {
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113
  };

  private WeightDecoder() {}

  /** The values of one row, as many as the matrix has columns; a fresh array. */
  public static float[] row(WeightMatrix matrix, int rowIndex) {
    final float[] values = new float[matrix.columnCount()];
    row(matrix, rowIndex, values, 0);
    return values;
  }

  /** The same, into {@code target}. */
  public static void row(WeightMatrix matrix, int rowIndex, float[] target, int targetIndex) {
    final int count = matrix.columnCount();
    final long offset = rowIndex * matrix.type().byteSize(count);
    decode(matrix.type(), matrix.data(), offset, target, targetIndex, count);
    final WeightScales scales = matrix.scales();
    if (scales == null) return;
    for (int i = 0; i < count; i++) target[targetIndex + i] *= scales.of(rowIndex, i);
  }

  /**
   * The same, each rounded to bf16, to nearest, ties to even: 2 bytes a value at {@code offset}.
   */
  public static void rowAsBf16(WeightMatrix matrix, int rowIndex, MemorySegment to, long offset) {
    final float[] values = row(matrix, rowIndex);
    for (int i = 0; i < values.length; i++) {
      final int bits = Float.floatToRawIntBits(values[i]);
      final short rounded = (short) (bits + 0x7FFF + (bits >>> 16 & 1) >>> 16);
      to.set(SHORT, offset + (long) i * Short.BYTES, rounded);
    }
  }

  /** All values, row after row; a fresh array. For small matrices. */
  public static float[] all(WeightMatrix matrix) {
    final int columnCount = matrix.columnCount();
    final float[] values = new float[Math.multiplyExact(matrix.rowCount(), columnCount)];
    for (int row = 0; row < matrix.rowCount(); row++) row(matrix, row, values, row * columnCount);
    return values;
  }

  /**
   * Decodes {@code count} values, a whole number of blocks, into {@code target}; without factors
   * that lie beside them.
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
      case Q4_1 -> decodeQ4_1(data, block, target, index);
      case Q5_0 -> decodeQ5_0(data, block, target, index);
      case Q5_1 -> decodeQ5_1(data, block, target, index);
      case IQ4_NL -> decodeIq4Nl(data, block, target, index);
      case Q2_K -> decodeQ2K(data, block, target, index);
      case Q3_K -> decodeQ3K(data, block, target, index);
      case Q4_K -> decodeQ4K(data, block, target, index);
      case Q5_K -> decodeQ5K(data, block, target, index);
      case Q6_K -> decodeQ6K(data, block, target, index);
      case F8_E4M3 -> target[index] = e4m3(data.get(ValueLayout.JAVA_BYTE, block));
    }
  }

  /**
   * Below the least exponent the mantissa counts eighths of it: the bits in a float's place, which
   * has the same rule, times 2 to the difference of the two biases.
   */
  private static float e4m3(byte code) {
    if ((code & 0x7F) == 0x7F) return Float.NaN;
    return Float.intBitsToFloat((code & 0x80) << 24 | (code & 0x7F) << 20) * 0x1p120f;
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

  /** Scale: f16, minimum: f16, then nibbles as in Q4_0; value = nibble * scale + minimum. */
  private static void decodeQ4_1(MemorySegment data, long block, float[] target, int index) {
    final float scale = half(data, block);
    final float minimum = half(data, block + 2);
    for (int i = 0; i < 32; i++) {
      target[index + i] = nibble(data, block + 4, i) * scale + minimum;
    }
  }

  /**
   * Scale: f16, then 4 bytes of which bit i is bit 4 of value i, then nibbles as in Q4_0; value =
   * (fiveBits - 16) * scale.
   */
  private static void decodeQ5_0(MemorySegment data, long block, float[] target, int index) {
    final float scale = half(data, block);
    for (int i = 0; i < 32; i++) {
      target[index + i] = (fiveBits(data, block + 2, i) - 16) * scale;
    }
  }

  /**
   * Scale: f16, minimum: f16, then fifth bits and nibbles as in Q5_0; value = fiveBits * scale +
   * minimum.
   */
  private static void decodeQ5_1(MemorySegment data, long block, float[] target, int index) {
    final float scale = half(data, block);
    final float minimum = half(data, block + 2);
    for (int i = 0; i < 32; i++) {
      target[index + i] = fiveBits(data, block + 4, i) * scale + minimum;
    }
  }

  /** Scale: f16, then nibbles as in Q4_0; value = {@link #nonLinear} of the nibble * scale. */
  private static void decodeIq4Nl(MemorySegment data, long block, float[] target, int index) {
    final float scale = half(data, block);
    for (int i = 0; i < 32; i++) {
      target[index + i] = nonLinear(nibble(data, block + 2, i)) * scale;
    }
  }

  /**
   * <pre>
   *   0                                        16                      80      82    84
   *   | 16 bytes: scale low, minimum high      | 64 bytes: two bits    | scale | min |
   * </pre>
   *
   * Each half of 128 values has 32 bytes; value i of quarter q (32 values) has bits 2q of byte i.
   * value = scale * groupScale * twoBits - min * groupMin, a group being 16 values.
   */
  private static void decodeQ2K(MemorySegment data, long block, float[] target, int index) {
    final float scale = half(data, block + 80);
    final float min = half(data, block + 82);
    for (int i = 0; i < 256; i++) {
      final int group = byteAt(data, block + i / 16);
      final float groupScale = scale * (group & 0xF);
      final float groupMin = min * (group >> 4);
      target[index + i] = groupScale * twoBits(data, block + 16, i) - groupMin;
    }
  }

  /**
   * <pre>
   *   0                              32                          96                   108     110
   *   | 32 bytes: bit g of byte i is | 64 bytes: low two bits    | 16 six-bit scales  | scale |
   *   | bit 2 of value 32 g + i      | as in Q2_K                |                    |       |
   * </pre>
   *
   * value = scale * groupScale * (threeBits - 4), a group being 16 values.
   */
  private static void decodeQ3K(MemorySegment data, long block, float[] target, int index) {
    final float scale = half(data, block + 108);
    for (int i = 0; i < 256; i++) {
      final float groupScale = scale * signedGroupScale(data, block + 96, i / 16);
      final int high = byteAt(data, block + i % 32) >> (i / 32) & 1;
      target[index + i] = groupScale * ((twoBits(data, block + 32, i) | high << 2) - 4);
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

  /**
   * The scale of one of Q3_K's groups, -32 to 31, from 12 bytes: the low four bits are nibble g / 8
   * of byte g % 8, the high two are bits 2 (g / 4) of byte 8 + g % 4.
   */
  public static int signedGroupScale(MemorySegment data, long offset, int group) {
    final int low = byteAt(data, offset + group % 8) >> (4 * (group / 8)) & 0xF;
    final int high = byteAt(data, offset + 8 + group % 4) >> (2 * (group / 4)) & 3;
    return (low | high << 4) - 32;
  }

  /** The signed value that one of IQ4_NL's nibbles numbers. */
  public static byte nonLinear(int nibble) {
    return NON_LINEAR[nibble];
  }

  private static int nibble(MemorySegment data, long offset, int i) {
    return byteAt(data, offset + i % 16) >> (4 * (i / 16)) & 0xF;
  }

  private static int fiveBits(MemorySegment data, long offset, int i) {
    return nibble(data, offset + 4, i) | (byteAt(data, offset + i / 8) >> (i % 8) & 1) << 4;
  }

  private static int twoBits(MemorySegment data, long offset, int i) {
    return byteAt(data, offset + i / 128 * 32 + i % 32) >> (2 * (i % 128 / 32)) & 3;
  }

  private static int byteAt(MemorySegment data, long offset) {
    return data.get(ValueLayout.JAVA_BYTE, offset) & 0xFF;
  }

  private static float half(MemorySegment data, long offset) {
    return Float.float16ToFloat(data.get(SHORT, offset));
  }
}
