package dev.stator.device.cpu;

import dev.stator.model.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Q4_0 weights, as many bytes as in the file. For each group of 32 inputs:
 *
 * <pre>
 *   0                32                                                288
 *   | 16 f16 scales  | inputs 0..7: 16 words, a row each | 8..15 | ...  |      input i of a word in bits 4i..4i+3
 * </pre>
 *
 * <p>A nibble becomes a float without a conversion: put into the low mantissa bits of 2^23 (or,
 * unshifted, of 2^19) it counts ones, and the power is subtracted, exactly.
 */
final class Q4Panels extends PanelMatrix {
  private static final int GROUP = 32;
  private static final int WORD = 8;
  private static final int WORD_BYTES = PANEL_ROWS * Integer.BYTES;
  private static final int QUANTS = PANEL_ROWS * Short.BYTES;
  private static final int GROUP_BYTES = QUANTS + GROUP / WORD * WORD_BYTES;
  private static final int FILE_BLOCK_BYTES = 18;
  private static final int LOW = 0xF;
  private static final int ONES_L = Float.floatToRawIntBits(0x1p23f);
  private static final int HIGH = 0xF0;
  private static final int ONES_H = Float.floatToRawIntBits(0x1p19f);
  private static final float BASE_L = 0x1p23f + 8;
  private static final float BASE_H = 0x1p19f + 8;
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ORDER);

  Q4Panels(WeightMatrix source, KernelChoice choice) {
    super(
        source,
        (long) source.columnCount() / GROUP * GROUP_BYTES,
        CHUNK / GROUP * GROUP_BYTES,
        choice);
  }

  @Override
  void pack(int panel) {
    final int rows = rowsOf(panel);
    for (int r = 0; r < rows; r++) {
      final int row = panel * PANEL_ROWS + r;
      final MemorySegment in = source.row(row);
      for (int g = 0; g < columns / GROUP; g++) {
        final long from = (long) g * FILE_BLOCK_BYTES;
        final long to = panel * panelBytes + (long) g * GROUP_BYTES;
        final short scale = in.get(SHORT, from);
        if (!Halves.isFinite(scale >> 8)) throw notFinite(row, "scale");
        data().set(SHORT, to + 2 * r, scale);
        // Value i is the low nibble of byte i, value i + 16 the high one.
        Nibbles.gather(in, from + 2, 0, data(), to + QUANTS + 4 * r, 2);
        Nibbles.gather(in, from + 2, 4, data(), to + QUANTS + 4 * r + 2 * WORD_BYTES, 2);
      }
    }
  }

  @Override
  boolean isSlow() {
    return true;
  }

  @Override
  void unpack(int panel, int k, int kEnd, float[] to, int toOffset, Scratch scratch) {
    final MemorySegment w = data();
    for (int row = 0; row < PANEL_ROWS; row += Lanes.COUNT) {
      for (int at = k; at < kEnd; at += GROUP) {
        final long from = panel * panelBytes + (long) (at / GROUP) * GROUP_BYTES;
        final FloatVector scale = Halves.load(w, from + 2 * row);
        for (int i = 0; i < GROUP; i += WORD) {
          final long word = from + QUANTS + 4 * row + i / WORD * WORD_BYTES;
          IntVector v = IntVector.fromMemorySegment(Lanes.INTS, w, word, ORDER);
          final int put = toOffset + row + (at - k + i) * PANEL_ROWS;
          for (int n = 0; n < WORD; n++) {
            final FloatVector q = v.and(LOW).or(ONES_L).reinterpretAsFloats().sub(BASE_L);
            q.mul(scale).intoArray(to, put + n * PANEL_ROWS);
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
    final MemorySegment w = data();
    final long w0 = streamOffset(panel, panelEnd, 0);
    final long w1 = streamOffset(panel, panelEnd, 1);
    final long w2 = streamOffset(panel, panelEnd, 2);
    final long w3 = streamOffset(panel, panelEnd, 3);
    final int o0 = outOffset + outOffset(panel, panelEnd, 0);
    final int o1 = outOffset + outOffset(panel, panelEnd, 1);
    final int o2 = outOffset + outOffset(panel, panelEnd, 2);
    final int o3 = outOffset + outOffset(panel, panelEnd, 3);
    FloatVector a0 = FloatVector.fromArray(Lanes.FLOATS, out, o0);
    FloatVector a1 = FloatVector.fromArray(Lanes.FLOATS, out, o1);
    FloatVector a2 = FloatVector.fromArray(Lanes.FLOATS, out, o2);
    FloatVector a3 = FloatVector.fromArray(Lanes.FLOATS, out, o3);
    for (int g = k / GROUP; g < kEnd / GROUP; g++) {
      final long at = (long) g * GROUP_BYTES;
      final FloatVector s0 = Halves.load(w, w0 + at + 2 * ROW0);
      final FloatVector s1 = Halves.load(w, w1 + at + 2 * ROW1);
      final FloatVector s2 = Halves.load(w, w2 + at + 2 * ROW2);
      final FloatVector s3 = Halves.load(w, w3 + at + 2 * ROW3);
      for (int word = 0; word < GROUP / WORD; word++) {
        final long q = at + QUANTS + word * WORD_BYTES;
        IntVector v0 = IntVector.fromMemorySegment(Lanes.INTS, w, w0 + q + 4 * ROW0, ORDER);
        IntVector v1 = IntVector.fromMemorySegment(Lanes.INTS, w, w1 + q + 4 * ROW1, ORDER);
        IntVector v2 = IntVector.fromMemorySegment(Lanes.INTS, w, w2 + q + 4 * ROW2, ORDER);
        IntVector v3 = IntVector.fromMemorySegment(Lanes.INTS, w, w3 + q + 4 * ROW3, ORDER);
        final int xg = xOffset + g * GROUP + word * WORD;
        for (int i = 0; i < WORD; i += 2) {
          final FloatVector even = FloatVector.broadcast(Lanes.FLOATS, x[xg + i]);
          final FloatVector odd = FloatVector.broadcast(Lanes.FLOATS, x[xg + i + 1]);
          a0 = v0.and(LOW).or(ONES_L).reinterpretAsFloats().sub(BASE_L).mul(s0).fma(even, a0);
          a1 = v1.and(LOW).or(ONES_L).reinterpretAsFloats().sub(BASE_L).mul(s1).fma(even, a1);
          a2 = v2.and(LOW).or(ONES_L).reinterpretAsFloats().sub(BASE_L).mul(s2).fma(even, a2);
          a3 = v3.and(LOW).or(ONES_L).reinterpretAsFloats().sub(BASE_L).mul(s3).fma(even, a3);
          a0 = v0.and(HIGH).or(ONES_H).reinterpretAsFloats().sub(BASE_H).mul(s0).fma(odd, a0);
          a1 = v1.and(HIGH).or(ONES_H).reinterpretAsFloats().sub(BASE_H).mul(s1).fma(odd, a1);
          a2 = v2.and(HIGH).or(ONES_H).reinterpretAsFloats().sub(BASE_H).mul(s2).fma(odd, a2);
          a3 = v3.and(HIGH).or(ONES_H).reinterpretAsFloats().sub(BASE_H).mul(s3).fma(odd, a3);
          v0 = v0.lanewise(VectorOperators.LSHR, 8);
          v1 = v1.lanewise(VectorOperators.LSHR, 8);
          v2 = v2.lanewise(VectorOperators.LSHR, 8);
          v3 = v3.lanewise(VectorOperators.LSHR, 8);
        }
      }
    }
    a3.intoArray(out, o3);
    a2.intoArray(out, o2);
    a1.intoArray(out, o1);
    a0.intoArray(out, o0);
  }
}
