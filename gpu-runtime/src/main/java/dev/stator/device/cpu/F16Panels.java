package dev.stator.device.cpu;

import static dev.stator.device.cpu.Halves.MASK;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.LSHL;

import dev.stator.model.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * F16 weights: for each pair of inputs 16 words, a row's even input in the low half and its odd
 * input in the high one, widened as {@link Halves} says.
 */
final class F16Panels extends PanelMatrix {
  private static final int STEP = PANEL_ROWS * Integer.BYTES;
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ORDER);

  F16Panels(WeightMatrix source, KernelChoice choice) {
    super(source, (source.columnCount() + 1L) / 2 * STEP, CHUNK / 2 * STEP, choice);
  }

  @Override
  void pack(int panel) {
    final int rows = rowsOf(panel);
    for (int r = 0; r < rows; r++) {
      final MemorySegment row = source.row(panel * PANEL_ROWS + r);
      for (int k = 0; k < columns; k++) {
        final short bits = row.get(SHORT, 2L * k);
        if (!Halves.isFinite(bits >> 8)) throw notFinite(panel * PANEL_ROWS + r, "value");
        data().set(SHORT, panel * panelBytes + (k >> 1) * (long) STEP + 4 * r + 2 * (k & 1), bits);
      }
    }
  }

  @Override
  void unpack(int panel, int k, int kEnd, float[] to, int toOffset, Scratch scratch) {
    final MemorySegment w = data();
    for (int row = 0; row < PANEL_ROWS; row += Lanes.COUNT) {
      final long from = panel * panelBytes + (k >> 1) * (long) STEP + 4 * row;
      for (int i = 0; i < kEnd - k; i++) {
        IntVector.fromMemorySegment(Lanes.INTS, w, from + (i >> 1) * (long) STEP, ORDER)
            .lanewise(LSHL, 16 - 16 * (i & 1))
            .lanewise(ASHR, 3)
            .and(MASK)
            .reinterpretAsFloats()
            .mul(Halves.UNIT)
            .intoArray(to, toOffset + row + i * PANEL_ROWS);
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
    final int pairs = kEnd >> 1;
    for (int i = k >> 1; i < pairs; i++) {
      final FloatVector even = FloatVector.broadcast(Lanes.FLOATS, x[xOffset + 2 * i]);
      final FloatVector odd = FloatVector.broadcast(Lanes.FLOATS, x[xOffset + 2 * i + 1]);
      final long at = (long) i * STEP;
      final IntVector b0 = IntVector.fromMemorySegment(Lanes.INTS, w, w0 + at + 4 * ROW0, ORDER);
      final IntVector b1 = IntVector.fromMemorySegment(Lanes.INTS, w, w1 + at + 4 * ROW1, ORDER);
      final IntVector b2 = IntVector.fromMemorySegment(Lanes.INTS, w, w2 + at + 4 * ROW2, ORDER);
      final IntVector b3 = IntVector.fromMemorySegment(Lanes.INTS, w, w3 + at + 4 * ROW3, ORDER);
      FloatVector h0 = b0.lanewise(LSHL, 16).lanewise(ASHR, 3).and(MASK).reinterpretAsFloats();
      FloatVector h1 = b1.lanewise(LSHL, 16).lanewise(ASHR, 3).and(MASK).reinterpretAsFloats();
      FloatVector h2 = b2.lanewise(LSHL, 16).lanewise(ASHR, 3).and(MASK).reinterpretAsFloats();
      FloatVector h3 = b3.lanewise(LSHL, 16).lanewise(ASHR, 3).and(MASK).reinterpretAsFloats();
      a0 = h0.mul(Halves.UNIT).fma(even, a0);
      a1 = h1.mul(Halves.UNIT).fma(even, a1);
      a2 = h2.mul(Halves.UNIT).fma(even, a2);
      a3 = h3.mul(Halves.UNIT).fma(even, a3);
      h0 = b0.lanewise(ASHR, 3).and(MASK).reinterpretAsFloats();
      h1 = b1.lanewise(ASHR, 3).and(MASK).reinterpretAsFloats();
      h2 = b2.lanewise(ASHR, 3).and(MASK).reinterpretAsFloats();
      h3 = b3.lanewise(ASHR, 3).and(MASK).reinterpretAsFloats();
      a0 = h0.mul(Halves.UNIT).fma(odd, a0);
      a1 = h1.mul(Halves.UNIT).fma(odd, a1);
      a2 = h2.mul(Halves.UNIT).fma(odd, a2);
      a3 = h3.mul(Halves.UNIT).fma(odd, a3);
    }
    if ((kEnd & 1) != 0) {
      final FloatVector last = FloatVector.broadcast(Lanes.FLOATS, x[xOffset + kEnd - 1]);
      final long at = (long) pairs * STEP;
      a0 = low(w, w0 + at + 4 * ROW0).fma(last, a0);
      a1 = low(w, w1 + at + 4 * ROW1).fma(last, a1);
      a2 = low(w, w2 + at + 4 * ROW2).fma(last, a2);
      a3 = low(w, w3 + at + 4 * ROW3).fma(last, a3);
    }
    a3.intoArray(out, o3);
    a2.intoArray(out, o2);
    a1.intoArray(out, o1);
    a0.intoArray(out, o0);
  }

  /** Outside the hot loop. */
  private static FloatVector low(MemorySegment w, long offset) {
    return IntVector.fromMemorySegment(Lanes.INTS, w, offset, ORDER)
        .lanewise(LSHL, 16)
        .lanewise(ASHR, 3)
        .and(MASK)
        .reinterpretAsFloats()
        .mul(Halves.UNIT);
  }
}
