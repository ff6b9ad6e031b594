package dev.stator.device.cpu;

import dev.stator.kv.KvLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Keys and values in their blocks: rounded once, where they are written, and read as what was
 * written, by the step that wrote them too.
 *
 * <pre>
 *   F32    the value
 *   BF16   the nearest value with 8 significant bits, ties to even
 *   INT8   q * scale, with scale = max|x| / 127 over the head's values of a token and q = x * (127 / max|x|)
 *          rounded to the nearest integer, ties to even; q = 0 where no magnitude reaches {@link #SMALLEST}
 * </pre>
 *
 * <p><b>Threads:</b> any; a token's writer has it alone. <b>Ownership:</b> the memory is its
 * creator's.
 */
record KvCache(KvLayout layout, MemorySegment pool) {
  /** Below it a reciprocal would overflow. */
  static final float SMALLEST = 1e-36f;

  private static final int BLOCK = CpuDevice.BLOCK_SIZE;
  private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ORDER);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ORDER);
  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

  /** Added and taken away, it leaves a float below 2^22 rounded to an integer, ties to even. */
  private static final float ROUND = 0x1.8p23f;

  private static final int QUANT_MAX = 127;

  /** Writes one token's key and value of a head, which lie from {@code from} on. */
  void store(int block, int slot, int layer, int head, float[] key, float[] value, int from) {
    final long start = block * layout.blockBytes();
    final long keys = start + layout.keyOffset(layer, head);
    final long values = start + layout.valueOffset(layer, head);
    final int first = slot * layout.headSize();
    switch (layout.type()) {
      case F32 -> {
        for (int d = 0; d < layout.headSize(); d++) {
          pool.set(FLOAT, keys + 4L * (d * BLOCK + slot), key[from + d]);
        }
        MemorySegment.copy(value, from, pool, FLOAT, values + 4L * first, layout.headSize());
      }
      case BF16 -> {
        for (int d = 0; d < layout.headSize(); d++) {
          pool.set(SHORT, keys + 2L * (d * BLOCK + slot), toBfloat16(key[from + d]));
          pool.set(SHORT, values + 2L * (first + d), toBfloat16(value[from + d]));
        }
      }
      case INT8 -> {
        storeIntegers(key, from, keys, slot, slot, BLOCK);
        storeIntegers(value, from, values, slot, first, 1);
      }
    }
  }

  private void storeIntegers(float[] x, int from, long head, int slot, int first, int stride) {
    float max = 0;
    for (int d = 0; d < layout.headSize(); d++) max = Math.max(max, Math.abs(x[from + d]));
    final boolean isFinite = max <= Float.MAX_VALUE;
    final float inverse = isFinite && max >= SMALLEST ? QUANT_MAX / max : 0;
    final float scale = inverse == 0 ? 0 : max / QUANT_MAX;
    pool.set(FLOAT, head + layout.scaleOffset() + 4L * slot, isFinite ? scale : Float.NaN);
    for (int d = 0; d < layout.headSize(); d++) {
      final float quant = isFinite ? x[from + d] * inverse + ROUND - ROUND : 0;
      pool.set(BYTE, head + first + (long) d * stride, (byte) quant);
    }
  }

  private static short toBfloat16(float x) {
    final int bits = Float.floatToRawIntBits(x);
    if (Float.isNaN(x)) return (short) (bits >>> 16 | 64);
    return (short) (bits + 0x7FFF + (bits >>> 16 & 1) >>> 16);
  }

  /**
   * Reads a head's keys and values of a block as floats.
   *
   * @param to room for a block of {@link Attention#oneHead} at {@code at}
   */
  void decode(int block, int layer, int head, MemorySegment to, long at, boolean usesVectors) {
    final long start = block * layout.blockBytes();
    final long keys = start + layout.keyOffset(layer, head);
    final long values = start + layout.valueOffset(layer, head);
    final int count = layout.headSize() * BLOCK;
    final long toValues = at + 4L * count;
    switch (layout.type()) {
      case F32 -> {
        MemorySegment.copy(pool, keys, to, at, 4L * count);
        MemorySegment.copy(pool, values, to, toValues, 4L * count);
      }
      case BF16 -> {
        decodeHalves(keys, to, at, count, usesVectors);
        decodeHalves(values, to, toValues, count, usesVectors);
      }
      case INT8 -> {
        decodeKeys(keys, to, at, usesVectors);
        decodeValues(values, to, toValues, usesVectors);
      }
    }
  }

  private void decodeHalves(long from, MemorySegment to, long at, int count, boolean usesVectors) {
    if (usesVectors) {
      for (int i = 0; i < count; i += Lanes.COUNT) {
        ((IntVector)
                ShortVector.fromMemorySegment(Lanes.SHORTS, pool, from + 2L * i, ORDER)
                    .convertShape(VectorOperators.S2I, Lanes.INTS, 0))
            .lanewise(VectorOperators.LSHL, 16)
            .reinterpretAsFloats()
            .intoMemorySegment(to, at + 4L * i, ORDER);
      }
      return;
    }
    for (int i = 0; i < count; i++) {
      to.set(FLOAT, at + 4L * i, Float.intBitsToFloat(pool.get(SHORT, from + 2L * i) << 16));
    }
  }

  /** Lanes are tokens, each with its scale. */
  private void decodeKeys(long from, MemorySegment to, long at, boolean usesVectors) {
    final long scales = from + layout.scaleOffset();
    final int headSize = layout.headSize();
    if (usesVectors) {
      for (int slot = 0; slot < BLOCK; slot += Lanes.COUNT) {
        final FloatVector scale =
            FloatVector.fromMemorySegment(Lanes.FLOATS, pool, scales + 4L * slot, ORDER);
        for (int d = 0; d < headSize; d++) {
          final long i = (long) d * BLOCK + slot;
          ((FloatVector)
                  ByteVector.fromMemorySegment(Lanes.BYTES, pool, from + i, ORDER)
                      .convertShape(VectorOperators.B2F, Lanes.FLOATS, 0))
              .mul(scale)
              .intoMemorySegment(to, at + 4 * i, ORDER);
        }
      }
      return;
    }
    for (int i = 0; i < headSize * BLOCK; i++) {
      final float scale = pool.get(FLOAT, scales + 4L * (i % BLOCK));
      to.set(FLOAT, at + 4L * i, pool.get(BYTE, from + i) * scale);
    }
  }

  private void decodeValues(long from, MemorySegment to, long at, boolean usesVectors) {
    final int headSize = layout.headSize();
    for (int slot = 0; slot < BLOCK; slot++) {
      final float scale = pool.get(FLOAT, from + layout.scaleOffset() + 4L * slot);
      final long row = from + (long) slot * headSize;
      final long toRow = at + 4L * slot * headSize;
      int d = 0;
      if (usesVectors) {
        for (; d + Lanes.COUNT <= headSize; d += Lanes.COUNT) {
          ((FloatVector)
                  ByteVector.fromMemorySegment(Lanes.BYTES, pool, row + d, ORDER)
                      .convertShape(VectorOperators.B2F, Lanes.FLOATS, 0))
              .mul(scale)
              .intoMemorySegment(to, toRow + 4L * d, ORDER);
        }
      }
      for (; d < headSize; d++) to.set(FLOAT, toRow + 4L * d, pool.get(BYTE, row + d) * scale);
    }
  }
}
