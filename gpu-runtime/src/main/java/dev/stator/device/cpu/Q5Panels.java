package dev.stator.device.cpu;

import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Q5_1, Q5_0 and Q4_1 weights, as many bytes as in the file. For each group of 32 inputs:
 *
 * <pre>
 *   0                32                64                                    128                   384
 *   | 16 f16 scales  | 16 f16 minimums | inputs 0..7: 16 rows' bytes |  ...  | words as in Q4Panels |
 *                                        input i's fifth bit in bit i
 * </pre>
 *
 * Q5_0 has no minimums there, Q4_1 no fifth bits, in whose stead the kernels read other bytes of
 * the group and mask them.
 *
 * <p>value = scale * (bits - offset) + minimum: the product is exact in float32, so that one fused
 * multiply-add is the format's product and sum. A minimum of minus zero changes no product, not
 * even a zero's sign.
 */
final class Q5Panels extends PanelMatrix {
  private static final int GROUP = 32;
  private static final int WORD = 8;
  private static final int WORD_BYTES = PANEL_ROWS * Integer.BYTES;
  private static final int QUANT_BYTES = GROUP / WORD * WORD_BYTES;
  private static final int HALVES_BYTES = PANEL_ROWS * Short.BYTES;
  private static final int FIFTHS_BYTES = GROUP / WORD * PANEL_ROWS;
  private static final int LOW = 0xF;
  private static final int FIFTH = 0x10;
  private static final int ONES = Float.floatToRawIntBits(0x1p23f);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ORDER);

  private final boolean hasMinimums;
  private final boolean hasFifths;
  private final int groupBytes;
  private final int minimums;
  private final int fifths;
  private final int quants;
  private final int fifthMask;
  private final float base;

  Q5Panels(WeightMatrix source, KernelChoice choice) {
    super(
        source,
        (long) source.columnCount() / GROUP * groupBytes(source.type()),
        CHUNK / GROUP * groupBytes(source.type()),
        choice);
    groupBytes = groupBytes(source.type());
    hasMinimums = hasMinimums(source.type());
    hasFifths = hasFifths(source.type());
    minimums = hasMinimums ? HALVES_BYTES : 0;
    fifths = minimums + HALVES_BYTES;
    quants = hasFifths ? fifths + FIFTHS_BYTES : fifths;
    fifthMask = hasFifths ? -1 : 0;
    base = hasMinimums ? 0x1p23f : 0x1p23f + 16;
  }

  private static int groupBytes(WeightType type) {
    return HALVES_BYTES
        + (hasMinimums(type) ? HALVES_BYTES : 0)
        + (hasFifths(type) ? FIFTHS_BYTES : 0)
        + QUANT_BYTES;
  }

  static boolean hasMinimums(WeightType type) {
    return type != WeightType.Q5_0;
  }

  static boolean hasFifths(WeightType type) {
    return type != WeightType.Q4_1;
  }

  @Override
  void pack(int panel) {
    final int rows = rowsOf(panel);
    final int blockBytes = source.type().blockBytes();
    for (int r = 0; r < rows; r++) {
      final int row = panel * PANEL_ROWS + r;
      final MemorySegment in = source.row(row);
      for (int g = 0; g < columns / GROUP; g++) {
        final long to = panel * panelBytes + (long) g * groupBytes;
        long from = (long) g * blockBytes;
        packHalf(in, from, to + 2 * r, row, "scale");
        from += Short.BYTES;
        if (hasMinimums) {
          packHalf(in, from, to + minimums + 2 * r, row, "minimum");
          from += Short.BYTES;
        }
        if (hasFifths) {
          for (int word = 0; word < GROUP / WORD; word++) {
            final byte eight = in.get(ValueLayout.JAVA_BYTE, from++);
            data().set(ValueLayout.JAVA_BYTE, to + fifths + word * PANEL_ROWS + r, eight);
          }
        }
        // Value i is the low nibble of byte i, value i + 16 the high one.
        Nibbles.gather(in, from, 0, data(), to + quants + 4 * r, 2);
        Nibbles.gather(in, from, 4, data(), to + quants + 4 * r + 2 * WORD_BYTES, 2);
      }
    }
  }

  private void packHalf(MemorySegment in, long from, long to, int row, String what) {
    final short half = in.get(SHORT, from);
    if (!Halves.isFinite(half >> 8)) throw notFinite(row, what);
    data().set(SHORT, to, half);
  }

  @Override
  boolean isSlow() {
    return true;
  }

  @Override
  void unpack(int panel, int k, int kEnd, float[] to, int toOffset, Scratch scratch) {
    prepareScales(panel, panel + 1, k / GROUP, kEnd / GROUP, scratch);
    final MemorySegment w = data();
    for (int row = 0; row < PANEL_ROWS; row += Lanes.COUNT) {
      for (int at = k; at < kEnd; at += GROUP) {
        final long from = panel * panelBytes + (long) (at / GROUP) * groupBytes;
        final int scaleAt = (at - k) / GROUP * PANEL_ROWS + row;
        final FloatVector scale = FloatVector.fromArray(Lanes.FLOATS, scratch.scales, scaleAt);
        final FloatVector minimum = FloatVector.fromArray(Lanes.FLOATS, scratch.minimums, scaleAt);
        for (int word = 0; word < GROUP / WORD; word++) {
          final long words = from + quants + 4 * row + word * WORD_BYTES;
          final long bits = from + fifths + row + word * PANEL_ROWS;
          IntVector v = IntVector.fromMemorySegment(Lanes.INTS, w, words, ORDER);
          IntVector h =
              ((IntVector)
                      ByteVector.fromMemorySegment(Lanes.BYTES, w, bits, ORDER)
                          .convertShape(VectorOperators.B2I, Lanes.INTS, 0))
                  .lanewise(VectorOperators.LSHL, 4)
                  .and(fifthMask);
          final int put = toOffset + row + (at - k + word * WORD) * PANEL_ROWS;
          for (int n = 0; n < WORD; n++) {
            final IntVector q = v.and(LOW).or(h.and(FIFTH)).or(ONES);
            q.reinterpretAsFloats()
                .sub(base)
                .fma(scale, minimum)
                .intoArray(to, put + n * PANEL_ROWS);
            v = v.lanewise(VectorOperators.LSHR, 4);
            h = h.lanewise(VectorOperators.LSHR, 1);
          }
        }
      }
    }
  }

  @Override
  void multiplyOne(
      int panel,
      int panelEnd,
      int k,
      int kEnd,
      float[] x,
      int xOffset,
      float[] out,
      int outOffset,
      Scratch scratch) {
    prepareScales(panel, panelEnd, k / GROUP, kEnd / GROUP, scratch);
    final MemorySegment w = data();
    final float[] scales = scratch.scales;
    final float[] minimums = scratch.minimums;
    final int groups = (kEnd - k) / GROUP;
    final int mask = fifthMask;
    final float base = this.base;
    final long w0 = streamOffset(panel, panelEnd, 0);
    final long w1 = streamOffset(panel, panelEnd, 1);
    final long w2 = streamOffset(panel, panelEnd, 2);
    final long w3 = streamOffset(panel, panelEnd, 3);
    final int t0 = KQuants.streamScales(panel, panelEnd, 0, groups);
    final int t1 = KQuants.streamScales(panel, panelEnd, 1, groups);
    final int t2 = KQuants.streamScales(panel, panelEnd, 2, groups);
    final int t3 = KQuants.streamScales(panel, panelEnd, 3, groups);
    final int o0 = outOffset + outOffset(panel, panelEnd, 0);
    final int o1 = outOffset + outOffset(panel, panelEnd, 1);
    final int o2 = outOffset + outOffset(panel, panelEnd, 2);
    final int o3 = outOffset + outOffset(panel, panelEnd, 3);
    FloatVector a0 = FloatVector.fromArray(Lanes.FLOATS, out, o0);
    FloatVector a1 = FloatVector.fromArray(Lanes.FLOATS, out, o1);
    FloatVector a2 = FloatVector.fromArray(Lanes.FLOATS, out, o2);
    FloatVector a3 = FloatVector.fromArray(Lanes.FLOATS, out, o3);
    for (int g = 0; g < groups; g++) {
      final long at = (long) (k / GROUP + g) * groupBytes;
      final int scaleAt = g * PANEL_ROWS;
      final FloatVector s0 = FloatVector.fromArray(Lanes.FLOATS, scales, t0 + scaleAt);
      final FloatVector s1 = FloatVector.fromArray(Lanes.FLOATS, scales, t1 + scaleAt);
      final FloatVector s2 = FloatVector.fromArray(Lanes.FLOATS, scales, t2 + scaleAt);
      final FloatVector s3 = FloatVector.fromArray(Lanes.FLOATS, scales, t3 + scaleAt);
      final FloatVector m0 = FloatVector.fromArray(Lanes.FLOATS, minimums, t0 + scaleAt);
      final FloatVector m1 = FloatVector.fromArray(Lanes.FLOATS, minimums, t1 + scaleAt);
      final FloatVector m2 = FloatVector.fromArray(Lanes.FLOATS, minimums, t2 + scaleAt);
      final FloatVector m3 = FloatVector.fromArray(Lanes.FLOATS, minimums, t3 + scaleAt);
      for (int word = 0; word < GROUP / WORD; word++) {
        final long q = at + quants + word * WORD_BYTES;
        final long b = at + fifths + word * PANEL_ROWS;
        IntVector v0 = IntVector.fromMemorySegment(Lanes.INTS, w, w0 + q + 4 * ROW0, ORDER);
        IntVector v1 = IntVector.fromMemorySegment(Lanes.INTS, w, w1 + q + 4 * ROW1, ORDER);
        IntVector v2 = IntVector.fromMemorySegment(Lanes.INTS, w, w2 + q + 4 * ROW2, ORDER);
        IntVector v3 = IntVector.fromMemorySegment(Lanes.INTS, w, w3 + q + 4 * ROW3, ORDER);
        final ByteVector b0 = ByteVector.fromMemorySegment(Lanes.BYTES, w, w0 + b + ROW0, ORDER);
        final ByteVector b1 = ByteVector.fromMemorySegment(Lanes.BYTES, w, w1 + b + ROW1, ORDER);
        final ByteVector b2 = ByteVector.fromMemorySegment(Lanes.BYTES, w, w2 + b + ROW2, ORDER);
        final ByteVector b3 = ByteVector.fromMemorySegment(Lanes.BYTES, w, w3 + b + ROW3, ORDER);
        IntVector h0 =
            ((IntVector) b0.convertShape(VectorOperators.B2I, Lanes.INTS, 0))
                .lanewise(VectorOperators.LSHL, 4)
                .and(mask);
        IntVector h1 =
            ((IntVector) b1.convertShape(VectorOperators.B2I, Lanes.INTS, 0))
                .lanewise(VectorOperators.LSHL, 4)
                .and(mask);
        IntVector h2 =
            ((IntVector) b2.convertShape(VectorOperators.B2I, Lanes.INTS, 0))
                .lanewise(VectorOperators.LSHL, 4)
                .and(mask);
        IntVector h3 =
            ((IntVector) b3.convertShape(VectorOperators.B2I, Lanes.INTS, 0))
                .lanewise(VectorOperators.LSHL, 4)
                .and(mask);
        final int xg = xOffset + k + g * GROUP + word * WORD;
        for (int i = 0; i < WORD; i++) {
          final FloatVector xi = FloatVector.broadcast(Lanes.FLOATS, x[xg + i]);
          final IntVector q0 = v0.and(LOW).or(h0.and(FIFTH)).or(ONES);
          final IntVector q1 = v1.and(LOW).or(h1.and(FIFTH)).or(ONES);
          final IntVector q2 = v2.and(LOW).or(h2.and(FIFTH)).or(ONES);
          final IntVector q3 = v3.and(LOW).or(h3.and(FIFTH)).or(ONES);
          a0 = q0.reinterpretAsFloats().sub(base).fma(s0, m0).fma(xi, a0);
          a1 = q1.reinterpretAsFloats().sub(base).fma(s1, m1).fma(xi, a1);
          a2 = q2.reinterpretAsFloats().sub(base).fma(s2, m2).fma(xi, a2);
          a3 = q3.reinterpretAsFloats().sub(base).fma(s3, m3).fma(xi, a3);
          v0 = v0.lanewise(VectorOperators.LSHR, 4);
          v1 = v1.lanewise(VectorOperators.LSHR, 4);
          v2 = v2.lanewise(VectorOperators.LSHR, 4);
          v3 = v3.lanewise(VectorOperators.LSHR, 4);
          h0 = h0.lanewise(VectorOperators.LSHR, 1);
          h1 = h1.lanewise(VectorOperators.LSHR, 1);
          h2 = h2.lanewise(VectorOperators.LSHR, 1);
          h3 = h3.lanewise(VectorOperators.LSHR, 1);
        }
      }
    }
    a3.intoArray(out, o3);
    a2.intoArray(out, o2);
    a1.intoArray(out, o1);
    a0.intoArray(out, o0);
  }

  private void prepareScales(int panel, int panelEnd, int g, int gEnd, Scratch scratch) {
    final MemorySegment w = data();
    final int count = (gEnd - g) * PANEL_ROWS;
    for (int p = panel; p < Math.min(panelEnd, panel + GROUP_PANELS); p++) {
      final int to = (p - panel) * count;
      final long from = p * panelBytes + (long) g * groupBytes;
      for (int row = 0; row < PANEL_ROWS; row += Lanes.COUNT) {
        for (int i = 0; i < gEnd - g; i++) {
          final long at = from + (long) i * groupBytes + 2 * row;
          final int put = to + i * PANEL_ROWS + row;
          Halves.load(w, at).intoArray(scratch.scales, put);
          if (hasMinimums) Halves.load(w, at + minimums).intoArray(scratch.minimums, put);
        }
      }
      if (!hasMinimums) Arrays.fill(scratch.minimums, to, to + count, -0f);
    }
  }
}
