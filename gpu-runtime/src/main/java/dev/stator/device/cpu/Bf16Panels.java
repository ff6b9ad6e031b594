package dev.stator.device.cpu;

import dev.stator.model.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * BF16 weights, and those that are widened to it: for each pair of inputs 16 words, a row's even
 * input in the low half and its odd input in the high one.
 */
final class Bf16Panels extends PanelMatrix {
  private static final int STEP = PANEL_ROWS * Integer.BYTES;
  private static final int ODD = 0xFFFF0000;
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ORDER);

  Bf16Panels(WeightMatrix source, KernelChoice choice) {
    super(source, (source.columnCount() + 1L) / 2 * STEP, CHUNK / 2 * STEP, choice);
  }

  @Override
  void pack(int panel) {
    final int rows = rowsOf(panel);
    for (int r = 0; r < rows; r++) {
      final MemorySegment row = rows(panel * PANEL_ROWS + r, 1);
      for (int k = 0; k < columns; k++) {
        final short bits = row.get(SHORT, 2L * k);
        if ((bits & 0x7F80) == 0x7F80) throw notFinite(panel * PANEL_ROWS + r, "value");
        data().set(SHORT, panel * panelBytes + (k >> 1) * (long) STEP + 4 * r + 2 * (k & 1), bits);
      }
    }
  }

  @Override
  void unpack(int panel, int k, int kEnd, float[] to, int toOffset, Scratch scratch) {
    final MemorySegment w = data();
    for (int row = 0; row < PANEL_ROWS; row += Lanes.COUNT) {
      final long from = panel * panelBytes + (k >> 1) * (long) STEP + 4 * row;
      final int pairs = kEnd - k >> 1;
      for (int i = 0; i < pairs; i++) {
        final IntVector both =
            IntVector.fromMemorySegment(Lanes.INTS, w, from + (long) i * STEP, ORDER);
        final int at = toOffset + row + i * 2 * PANEL_ROWS;
        both.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().intoArray(to, at);
        both.and(ODD).reinterpretAsFloats().intoArray(to, at + PANEL_ROWS);
      }
      if ((kEnd - k & 1) != 0) {
        IntVector.fromMemorySegment(Lanes.INTS, w, from + (long) pairs * STEP, ORDER)
            .lanewise(VectorOperators.LSHL, 16)
            .reinterpretAsFloats()
            .intoArray(to, toOffset + row + pairs * 2 * PANEL_ROWS);
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
    final long w0 = streamOffset(panel, panelEnd, 0) + 4 * ROW0;
    final long w1 = streamOffset(panel, panelEnd, 1) + 4 * ROW1;
    final long w2 = streamOffset(panel, panelEnd, 2) + 4 * ROW2;
    final long w3 = streamOffset(panel, panelEnd, 3) + 4 * ROW3;
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
      final IntVector b0 = IntVector.fromMemorySegment(Lanes.INTS, w, w0 + at, ORDER);
      final IntVector b1 = IntVector.fromMemorySegment(Lanes.INTS, w, w1 + at, ORDER);
      final IntVector b2 = IntVector.fromMemorySegment(Lanes.INTS, w, w2 + at, ORDER);
      final IntVector b3 = IntVector.fromMemorySegment(Lanes.INTS, w, w3 + at, ORDER);
      a0 = b0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, a0);
      a1 = b1.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, a1);
      a2 = b2.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, a2);
      a3 = b3.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, a3);
      a0 = b0.and(ODD).reinterpretAsFloats().fma(odd, a0);
      a1 = b1.and(ODD).reinterpretAsFloats().fma(odd, a1);
      a2 = b2.and(ODD).reinterpretAsFloats().fma(odd, a2);
      a3 = b3.and(ODD).reinterpretAsFloats().fma(odd, a3);
    }
    if ((kEnd & 1) != 0) {
      final FloatVector last = FloatVector.broadcast(Lanes.FLOATS, x[xOffset + kEnd - 1]);
      final long at = (long) pairs * STEP;
      a0 = low(w, w0 + at).fma(last, a0);
      a1 = low(w, w1 + at).fma(last, a1);
      a2 = low(w, w2 + at).fma(last, a2);
      a3 = low(w, w3 + at).fma(last, a3);
    }
    a3.intoArray(out, o3);
    a2.intoArray(out, o2);
    a1.intoArray(out, o1);
    a0.intoArray(out, o0);
  }

  /** Outside the hot loop. */
  private static FloatVector low(MemorySegment w, long offset) {
    return IntVector.fromMemorySegment(Lanes.INTS, w, offset, ORDER)
        .lanewise(VectorOperators.LSHL, 16)
        .reinterpretAsFloats();
  }
}
