package dev.stator.device.cpu;

import dev.stator.model.WeightDecoder;
import dev.stator.model.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Q4_K weights. For each super-block of 256 inputs:
 *
 * <pre>
 *   0                32                64                                        2368
 *   | 16 f16 scales  | 16 f16 minimums | group 0 | group 1 |  ...   | group 7     |
 *
 *   group := 16 scale bytes | 16 minimum bytes | inputs 0..7: 16 words, a row each | 8..15 | 16..23 | 24..31
 * </pre>
 *
 * <p>value = (scale * groupScale) * nibble - (minimum * groupMinimum): all products are exact in
 * float32, so that one fused multiply-add is the format's product and difference.
 *
 * <p>A nibble becomes a float without a conversion: put into the low mantissa bits of 2^23 (or,
 * unshifted, of 2^19) it counts ones, and the power is subtracted, exactly.
 */
final class Q4KPanels extends PanelMatrix {
  private static final int SUPER = 256;
  private static final int GROUP = 32;
  private static final int WORD = 8;
  private static final int WORD_BYTES = PANEL_ROWS * Integer.BYTES;
  private static final int MINIMUMS = PANEL_ROWS * Short.BYTES;
  private static final int GROUPS = 2 * MINIMUMS;
  private static final int GROUP_MINIMUMS = PANEL_ROWS;
  private static final int QUANTS = 2 * PANEL_ROWS;
  private static final int GROUP_BYTES = QUANTS + GROUP / WORD * WORD_BYTES;
  private static final int SUPER_BYTES = GROUPS + SUPER / GROUP * GROUP_BYTES;
  private static final int FILE_BLOCK_BYTES = 144;
  private static final int LOW = 0xF;
  private static final int LOW_ONE = Float.floatToRawIntBits(0x1p23f);
  private static final int HIGH = 0xF0;
  private static final int HIGH_ONE = Float.floatToRawIntBits(0x1p19f);
  private static final float LOW_BASE = 0x1p23f;
  private static final float HIGH_BASE = 0x1p19f;

  Q4KPanels(WeightMatrix source) {
    super(source, (long) source.columnCount() / SUPER * SUPER_BYTES);
  }

  @Override
  void pack(int panel) {
    final int rows = rowsOf(panel);
    for (int r = 0; r < rows; r++) {
      final MemorySegment in = source.row(panel * PANEL_ROWS + r);
      for (int b = 0; b < columns / SUPER; b++) {
        final long from = (long) b * FILE_BLOCK_BYTES;
        final long to = panel * panelBytes + (long) b * SUPER_BYTES;
        packScales(in, from, to, panel, r);
        for (int g = 0; g < SUPER / GROUP; g++) {
          // 32 bytes hold group 2j in their low nibbles and group 2j + 1 in their high ones.
          final long quants = to + GROUPS + g * GROUP_BYTES + QUANTS + 4 * r;
          Nibbles.gather(in, from + 16 + g / 2 * GROUP, g % 2 * 4, data(), quants, 4);
        }
      }
    }
  }

  private void packScales(MemorySegment in, long from, long to, int panel, int r) {
    KQuants.copyHalf(this, in, from, to + 2 * r, panel, r);
    KQuants.copyHalf(this, in, from + 2, to + MINIMUMS + 2 * r, panel, r);
    for (int g = 0; g < SUPER / GROUP; g++) {
      final long group = to + GROUPS + g * GROUP_BYTES + r;
      data().set(ValueLayout.JAVA_BYTE, group, (byte) WeightDecoder.groupScale(in, from + 4, g));
      data()
          .set(
              ValueLayout.JAVA_BYTE,
              group + GROUP_MINIMUMS,
              (byte) WeightDecoder.groupMin(in, from + 4, g));
    }
  }

  @Override
  void unpack(int panel, int k, int kEnd, float[] to, int toOffset) {
    final MemorySegment w = data();
    for (int row = 0; row < PANEL_ROWS; row += Lanes.COUNT) {
      for (int at = k; at < kEnd; at += GROUP) {
        final long block = panel * panelBytes + (long) (at / SUPER) * SUPER_BYTES;
        final long group = block + GROUPS + (long) (at % SUPER / GROUP) * GROUP_BYTES;
        final FloatVector scale = KQuants.loadScaled(w, block + 2 * row, group + row);
        final FloatVector minimum =
            KQuants.loadScaled(w, block + MINIMUMS + 2 * row, group + GROUP_MINIMUMS + row).neg();
        for (int i = 0; i < GROUP; i += WORD) {
          final long word = group + QUANTS + 4 * row + i / WORD * WORD_BYTES;
          IntVector v = IntVector.fromMemorySegment(Lanes.INTS, w, word, ORDER);
          final int put = toOffset + row + (at - k + i) * PANEL_ROWS;
          for (int n = 0; n < WORD; n++) {
            final FloatVector q = v.and(LOW).or(LOW_ONE).reinterpretAsFloats().sub(LOW_BASE);
            q.fma(scale, minimum).intoArray(to, put + n * PANEL_ROWS);
            v = v.lanewise(VectorOperators.LSHR, 4);
          }
        }
      }
    }
  }

  @Override
  void multiplyOne(int panel, int panelEnd, float[] x, int xOffset, float[] out, int outOffset) {
    final MemorySegment w = data();
    final long w0 = streamOffset(panel, panelEnd, 0);
    final long w1 = streamOffset(panel, panelEnd, 1);
    final long w2 = streamOffset(panel, panelEnd, 2);
    final long w3 = streamOffset(panel, panelEnd, 3);
    FloatVector a0 = FloatVector.zero(Lanes.FLOATS);
    FloatVector a1 = a0;
    FloatVector a2 = a0;
    FloatVector a3 = a0;
    for (int g = 0; g < columns / GROUP; g++) {
      final long block = g / (SUPER / GROUP) * (long) SUPER_BYTES;
      final long group = block + GROUPS + (long) (g % (SUPER / GROUP)) * GROUP_BYTES;
      final long minimums = block + MINIMUMS;
      final long groupMinimums = group + GROUP_MINIMUMS;
      final FloatVector s0 = KQuants.loadScaled(w, w0 + block + 2 * ROW0, w0 + group + ROW0);
      final FloatVector s1 = KQuants.loadScaled(w, w1 + block + 2 * ROW1, w1 + group + ROW1);
      final FloatVector s2 = KQuants.loadScaled(w, w2 + block + 2 * ROW2, w2 + group + ROW2);
      final FloatVector s3 = KQuants.loadScaled(w, w3 + block + 2 * ROW3, w3 + group + ROW3);
      final FloatVector m0 =
          KQuants.loadScaled(w, w0 + minimums + 2 * ROW0, w0 + groupMinimums + ROW0).neg();
      final FloatVector m1 =
          KQuants.loadScaled(w, w1 + minimums + 2 * ROW1, w1 + groupMinimums + ROW1).neg();
      final FloatVector m2 =
          KQuants.loadScaled(w, w2 + minimums + 2 * ROW2, w2 + groupMinimums + ROW2).neg();
      final FloatVector m3 =
          KQuants.loadScaled(w, w3 + minimums + 2 * ROW3, w3 + groupMinimums + ROW3).neg();
      for (int word = 0; word < GROUP / WORD; word++) {
        final long q = group + QUANTS + word * WORD_BYTES;
        IntVector v0 = IntVector.fromMemorySegment(Lanes.INTS, w, w0 + q + 4 * ROW0, ORDER);
        IntVector v1 = IntVector.fromMemorySegment(Lanes.INTS, w, w1 + q + 4 * ROW1, ORDER);
        IntVector v2 = IntVector.fromMemorySegment(Lanes.INTS, w, w2 + q + 4 * ROW2, ORDER);
        IntVector v3 = IntVector.fromMemorySegment(Lanes.INTS, w, w3 + q + 4 * ROW3, ORDER);
        final int xg = xOffset + g * GROUP + word * WORD;
        for (int i = 0; i < WORD; i += 2) {
          final FloatVector even = FloatVector.broadcast(Lanes.FLOATS, x[xg + i]);
          final FloatVector odd = FloatVector.broadcast(Lanes.FLOATS, x[xg + i + 1]);
          a0 =
              v0.and(LOW).or(LOW_ONE).reinterpretAsFloats().sub(LOW_BASE).fma(s0, m0).fma(even, a0);
          a1 =
              v1.and(LOW).or(LOW_ONE).reinterpretAsFloats().sub(LOW_BASE).fma(s1, m1).fma(even, a1);
          a2 =
              v2.and(LOW).or(LOW_ONE).reinterpretAsFloats().sub(LOW_BASE).fma(s2, m2).fma(even, a2);
          a3 =
              v3.and(LOW).or(LOW_ONE).reinterpretAsFloats().sub(LOW_BASE).fma(s3, m3).fma(even, a3);
          a0 =
              v0.and(HIGH)
                  .or(HIGH_ONE)
                  .reinterpretAsFloats()
                  .sub(HIGH_BASE)
                  .fma(s0, m0)
                  .fma(odd, a0);
          a1 =
              v1.and(HIGH)
                  .or(HIGH_ONE)
                  .reinterpretAsFloats()
                  .sub(HIGH_BASE)
                  .fma(s1, m1)
                  .fma(odd, a1);
          a2 =
              v2.and(HIGH)
                  .or(HIGH_ONE)
                  .reinterpretAsFloats()
                  .sub(HIGH_BASE)
                  .fma(s2, m2)
                  .fma(odd, a2);
          a3 =
              v3.and(HIGH)
                  .or(HIGH_ONE)
                  .reinterpretAsFloats()
                  .sub(HIGH_BASE)
                  .fma(s3, m3)
                  .fma(odd, a3);
          v0 = v0.lanewise(VectorOperators.LSHR, 8);
          v1 = v1.lanewise(VectorOperators.LSHR, 8);
          v2 = v2.lanewise(VectorOperators.LSHR, 8);
          v3 = v3.lanewise(VectorOperators.LSHR, 8);
        }
      }
    }
    a3.intoArray(out, outOffset + outOffset(panel, panelEnd, 3));
    a2.intoArray(out, outOffset + outOffset(panel, panelEnd, 2));
    a1.intoArray(out, outOffset + outOffset(panel, panelEnd, 1));
    a0.intoArray(out, outOffset + outOffset(panel, panelEnd, 0));
  }
}
