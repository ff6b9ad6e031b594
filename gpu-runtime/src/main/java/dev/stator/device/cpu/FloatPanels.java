package dev.stator.device.cpu;

import dev.stator.model.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

/** F32 weights: for each input the 16 rows' floats. */
final class FloatPanels extends PanelMatrix {
  private static final int STEP = PANEL_ROWS * Float.BYTES;
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ORDER);

  FloatPanels(WeightMatrix source, KernelChoice choice) {
    super(source, (long) source.columnCount() * STEP, CHUNK * STEP, choice);
  }

  @Override
  void pack(int panel) {
    final int rows = rowsOf(panel);
    for (int r = 0; r < rows; r++) {
      final MemorySegment row = source.row(panel * PANEL_ROWS + r);
      for (int k = 0; k < columns; k++) {
        final float value = row.get(FLOAT, 4L * k);
        if (!Float.isFinite(value)) throw notFinite(panel * PANEL_ROWS + r, "value");
        data().set(FLOAT, panel * panelBytes + (long) k * STEP + 4L * r, value);
      }
    }
  }

  @Override
  void unpack(int panel, int k, int kEnd, float[] to, int toOffset, Scratch scratch) {
    final MemorySegment w = data();
    final long from = panel * panelBytes + (long) k * STEP;
    for (int i = 0; i < (kEnd - k) * PANEL_ROWS; i += Lanes.COUNT) {
      FloatVector.fromMemorySegment(Lanes.FLOATS, w, from + 4L * i, ORDER)
          .intoArray(to, toOffset + i);
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
    for (int i = k; i < kEnd; i++) {
      final FloatVector xk = FloatVector.broadcast(Lanes.FLOATS, x[xOffset + i]);
      final long at = (long) i * STEP;
      a0 = FloatVector.fromMemorySegment(Lanes.FLOATS, w, w0 + at, ORDER).fma(xk, a0);
      a1 = FloatVector.fromMemorySegment(Lanes.FLOATS, w, w1 + at, ORDER).fma(xk, a1);
      a2 = FloatVector.fromMemorySegment(Lanes.FLOATS, w, w2 + at, ORDER).fma(xk, a2);
      a3 = FloatVector.fromMemorySegment(Lanes.FLOATS, w, w3 + at, ORDER).fma(xk, a3);
    }
    a3.intoArray(out, o3);
    a2.intoArray(out, o2);
    a1.intoArray(out, o1);
    a0.intoArray(out, o0);
  }
}
