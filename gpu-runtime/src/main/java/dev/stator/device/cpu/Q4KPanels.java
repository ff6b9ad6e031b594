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
  private static final KQuants LAYOUT = new KQuants(SUPER, SUPER_BYTES, GROUP, GROUP_BYTES, GROUPS);
  private static final int FILE_BLOCK_BYTES = 144;
  private static final int LOW = 0xF;
  private static final int ONES_L = Float.floatToRawIntBits(0x1p23f);
  private static final int HIGH = 0xF0;
  private static final int ONES_H = Float.floatToRawIntBits(0x1p19f);
  private static final float BASE_L = 0x1p23f;
  private static final float BASE_H = 0x1p19f;

  Q4KPanels(WeightMatrix source, KernelChoice choice) {
    super(source, LAYOUT.panelBytes(source.columnCount()), SUPER_BYTES, choice);
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
  boolean isSlow() {
    return true;
  }

  @Override
  void unpack(int panel, int k, int kEnd, float[] to, int toOffset, Scratch scratch) {
    prepareScales(panel, panel + 1, k / GROUP, kEnd / GROUP, scratch);
    final MemorySegment w = data();
    for (int row = 0; row < PANEL_ROWS; row += Lanes.COUNT) {
      for (int at = k; at < kEnd; at += GROUP) {
        final long group = panel * panelBytes + LAYOUT.groupOffset(at / GROUP);
        final int scaleAt = (at - k) / GROUP * PANEL_ROWS + row;
        final FloatVector scale = FloatVector.fromArray(Lanes.FLOATS, scratch.scales, scaleAt);
        final FloatVector minimum = FloatVector.fromArray(Lanes.FLOATS, scratch.minimums, scaleAt);
        for (int i = 0; i < GROUP; i += WORD) {
          final long word = group + QUANTS + 4 * row + i / WORD * WORD_BYTES;
          IntVector v = IntVector.fromMemorySegment(Lanes.INTS, w, word, ORDER);
          final int put = toOffset + row + (at - k + i) * PANEL_ROWS;
          for (int n = 0; n < WORD; n++) {
            final FloatVector q = v.and(LOW).or(ONES_L).reinterpretAsFloats().sub(BASE_L);
            q.fma(scale, minimum).intoArray(to, put + n * PANEL_ROWS);
            v = v.lanewise(VectorOperators.LSHR, 4);
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
      final long quants = LAYOUT.groupOffset(k / GROUP + g) + QUANTS;
      final int xg = xOffset + k + g * GROUP;
      final FloatVector s0 = FloatVector.fromArray(Lanes.FLOATS, scales, t0 + g * PANEL_ROWS);
      final FloatVector s1 = FloatVector.fromArray(Lanes.FLOATS, scales, t1 + g * PANEL_ROWS);
      final FloatVector s2 = FloatVector.fromArray(Lanes.FLOATS, scales, t2 + g * PANEL_ROWS);
      final FloatVector s3 = FloatVector.fromArray(Lanes.FLOATS, scales, t3 + g * PANEL_ROWS);
      final FloatVector m0 = FloatVector.fromArray(Lanes.FLOATS, minimums, t0 + g * PANEL_ROWS);
      final FloatVector m1 = FloatVector.fromArray(Lanes.FLOATS, minimums, t1 + g * PANEL_ROWS);
      final FloatVector m2 = FloatVector.fromArray(Lanes.FLOATS, minimums, t2 + g * PANEL_ROWS);
      final FloatVector m3 = FloatVector.fromArray(Lanes.FLOATS, minimums, t3 + g * PANEL_ROWS);
      for (int word = 0; word < GROUP / WORD; word++) {
        final long q = quants + word * WORD_BYTES;
        IntVector v0 = IntVector.fromMemorySegment(Lanes.INTS, w, w0 + q + 4 * ROW0, ORDER);
        IntVector v1 = IntVector.fromMemorySegment(Lanes.INTS, w, w1 + q + 4 * ROW1, ORDER);
        IntVector v2 = IntVector.fromMemorySegment(Lanes.INTS, w, w2 + q + 4 * ROW2, ORDER);
        IntVector v3 = IntVector.fromMemorySegment(Lanes.INTS, w, w3 + q + 4 * ROW3, ORDER);
        for (int i = 0; i < WORD; i += 2) {
          final FloatVector even = FloatVector.broadcast(Lanes.FLOATS, x[xg + word * WORD + i]);
          final FloatVector odd = FloatVector.broadcast(Lanes.FLOATS, x[xg + word * WORD + i + 1]);
          a0 = v0.and(LOW).or(ONES_L).reinterpretAsFloats().sub(BASE_L).fma(s0, m0).fma(even, a0);
          a1 = v1.and(LOW).or(ONES_L).reinterpretAsFloats().sub(BASE_L).fma(s1, m1).fma(even, a1);
          a2 = v2.and(LOW).or(ONES_L).reinterpretAsFloats().sub(BASE_L).fma(s2, m2).fma(even, a2);
          a3 = v3.and(LOW).or(ONES_L).reinterpretAsFloats().sub(BASE_L).fma(s3, m3).fma(even, a3);
          a0 = v0.and(HIGH).or(ONES_H).reinterpretAsFloats().sub(BASE_H).fma(s0, m0).fma(odd, a0);
          a1 = v1.and(HIGH).or(ONES_H).reinterpretAsFloats().sub(BASE_H).fma(s1, m1).fma(odd, a1);
          a2 = v2.and(HIGH).or(ONES_H).reinterpretAsFloats().sub(BASE_H).fma(s2, m2).fma(odd, a2);
          a3 = v3.and(HIGH).or(ONES_H).reinterpretAsFloats().sub(BASE_H).fma(s3, m3).fma(odd, a3);
          v0 = v0.lanewise(VectorOperators.LSHR, 8);
          v1 = v1.lanewise(VectorOperators.LSHR, 8);
          v2 = v2.lanewise(VectorOperators.LSHR, 8);
          v3 = v3.lanewise(VectorOperators.LSHR, 8);
        }
      }
    }
    a0.intoArray(out, o0);
    a1.intoArray(out, o1);
    a2.intoArray(out, o2);
    a3.intoArray(out, o3);
  }

  private void prepareScales(int panel, int panelEnd, int g, int gEnd, Scratch scratch) {
    for (int p = panel; p < Math.min(panelEnd, panel + GROUP_PANELS); p++) {
      final int to = (p - panel) * (gEnd - g) * PANEL_ROWS;
      LAYOUT.scales(data(), p * panelBytes, g, gEnd, 0, 0, 1, scratch.scales, to);
      LAYOUT.scales(
          data(), p * panelBytes, g, gEnd, MINIMUMS, GROUP_MINIMUMS, -1, scratch.minimums, to);
    }
  }
}
