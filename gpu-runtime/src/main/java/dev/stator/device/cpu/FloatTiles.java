package dev.stator.device.cpu;

import jdk.incubator.vector.FloatVector;

/**
 * Tokens times a decoded float panel: each tile keeps the chains of up to eight tokens by two
 * vectors of output rows in registers and carries them from one chunk of inputs to the next through
 * {@code out}, where they rest as float32 without loss.
 */
final class FloatTiles {
  private static final int PANEL = PackedMatrix.PANEL_ROWS;
  private static final int ROW = PackedMatrix.TASK_ROWS;

  private static final int VECTORS = PanelMatrix.UNIT_PANELS * Lanes.PER_PANEL;

  /** Wide vectors come with 32 registers, which hold 8 x 2 chains; narrow ones with 16. */
  private static final boolean HAS_EIGHT = Lanes.COUNT == 16;

  private FloatTiles() {}

  /**
   * Continues the chains of all tokens for one unit of panels by {@code count} inputs.
   *
   * @param w {@link PanelMatrix#UNIT_PANELS} decoded panels, {@link PanelMatrix#CHUNK_FLOATS} apart
   * @param out chains, {@link PackedMatrix#TASK_ROWS} a token, the unit's first row at {@code
   *     outOffset}
   */
  static void multiply(
      float[] w,
      int count,
      float[] x,
      int xOffset,
      int xStride,
      int tokens,
      float[] out,
      int outOffset) {
    for (int v = 0; v < VECTORS; v += 2) {
      final int wA = weightOffset(v);
      final int wB = weightOffset(v + 1);
      final int outA = outOffset + v * Lanes.COUNT;
      final int outB = outA + Lanes.COUNT;
      int t = 0;
      if (HAS_EIGHT) {
        for (; t + 8 <= tokens; t += 8) {
          final int xt = xOffset + t * xStride;
          tile8(w, wA, wB, count, x, xt, xStride, out, outA + t * ROW, outB + t * ROW);
        }
      }
      for (; t + 4 <= tokens; t += 4) {
        final int xt = xOffset + t * xStride;
        tile4(w, wA, wB, count, x, xt, xStride, out, outA + t * ROW, outB + t * ROW);
      }
      for (; t + 2 <= tokens; t += 2) {
        final int xt = xOffset + t * xStride;
        tile2(w, wA, wB, count, x, xt, xStride, out, outA + t * ROW, outB + t * ROW);
      }
      if (t < tokens) {
        tile1(w, wA, wB, count, x, xOffset + t * xStride, out, outA + t * ROW, outB + t * ROW);
      }
    }
  }

  private static int weightOffset(int vector) {
    return vector / Lanes.PER_PANEL * PanelMatrix.CHUNK_FLOATS
        + vector % Lanes.PER_PANEL * Lanes.COUNT;
  }

  private static void tile8(
      float[] w,
      int wA,
      int wB,
      int count,
      float[] x,
      int xOffset,
      int xStride,
      float[] out,
      int outA,
      int outB) {
    final int x1 = xOffset + xStride;
    final int x2 = xOffset + 2 * xStride;
    final int x3 = xOffset + 3 * xStride;
    final int x4 = xOffset + 4 * xStride;
    final int x5 = xOffset + 5 * xStride;
    final int x6 = xOffset + 6 * xStride;
    final int x7 = xOffset + 7 * xStride;
    FloatVector a0 = FloatVector.fromArray(Lanes.FLOATS, out, outA);
    FloatVector b0 = FloatVector.fromArray(Lanes.FLOATS, out, outB);
    FloatVector a1 = FloatVector.fromArray(Lanes.FLOATS, out, outA + ROW);
    FloatVector b1 = FloatVector.fromArray(Lanes.FLOATS, out, outB + ROW);
    FloatVector a2 = FloatVector.fromArray(Lanes.FLOATS, out, outA + 2 * ROW);
    FloatVector b2 = FloatVector.fromArray(Lanes.FLOATS, out, outB + 2 * ROW);
    FloatVector a3 = FloatVector.fromArray(Lanes.FLOATS, out, outA + 3 * ROW);
    FloatVector b3 = FloatVector.fromArray(Lanes.FLOATS, out, outB + 3 * ROW);
    FloatVector a4 = FloatVector.fromArray(Lanes.FLOATS, out, outA + 4 * ROW);
    FloatVector b4 = FloatVector.fromArray(Lanes.FLOATS, out, outB + 4 * ROW);
    FloatVector a5 = FloatVector.fromArray(Lanes.FLOATS, out, outA + 5 * ROW);
    FloatVector b5 = FloatVector.fromArray(Lanes.FLOATS, out, outB + 5 * ROW);
    FloatVector a6 = FloatVector.fromArray(Lanes.FLOATS, out, outA + 6 * ROW);
    FloatVector b6 = FloatVector.fromArray(Lanes.FLOATS, out, outB + 6 * ROW);
    FloatVector a7 = FloatVector.fromArray(Lanes.FLOATS, out, outA + 7 * ROW);
    FloatVector b7 = FloatVector.fromArray(Lanes.FLOATS, out, outB + 7 * ROW);
    for (int k = 0; k < count; k++) {
      final FloatVector wa = FloatVector.fromArray(Lanes.FLOATS, w, wA + k * PANEL);
      final FloatVector wb = FloatVector.fromArray(Lanes.FLOATS, w, wB + k * PANEL);
      a0 = wa.fma(FloatVector.broadcast(Lanes.FLOATS, x[xOffset + k]), a0);
      b0 = wb.fma(FloatVector.broadcast(Lanes.FLOATS, x[xOffset + k]), b0);
      a1 = wa.fma(FloatVector.broadcast(Lanes.FLOATS, x[x1 + k]), a1);
      b1 = wb.fma(FloatVector.broadcast(Lanes.FLOATS, x[x1 + k]), b1);
      a2 = wa.fma(FloatVector.broadcast(Lanes.FLOATS, x[x2 + k]), a2);
      b2 = wb.fma(FloatVector.broadcast(Lanes.FLOATS, x[x2 + k]), b2);
      a3 = wa.fma(FloatVector.broadcast(Lanes.FLOATS, x[x3 + k]), a3);
      b3 = wb.fma(FloatVector.broadcast(Lanes.FLOATS, x[x3 + k]), b3);
      a4 = wa.fma(FloatVector.broadcast(Lanes.FLOATS, x[x4 + k]), a4);
      b4 = wb.fma(FloatVector.broadcast(Lanes.FLOATS, x[x4 + k]), b4);
      a5 = wa.fma(FloatVector.broadcast(Lanes.FLOATS, x[x5 + k]), a5);
      b5 = wb.fma(FloatVector.broadcast(Lanes.FLOATS, x[x5 + k]), b5);
      a6 = wa.fma(FloatVector.broadcast(Lanes.FLOATS, x[x6 + k]), a6);
      b6 = wb.fma(FloatVector.broadcast(Lanes.FLOATS, x[x6 + k]), b6);
      a7 = wa.fma(FloatVector.broadcast(Lanes.FLOATS, x[x7 + k]), a7);
      b7 = wb.fma(FloatVector.broadcast(Lanes.FLOATS, x[x7 + k]), b7);
    }
    a0.intoArray(out, outA);
    b0.intoArray(out, outB);
    a1.intoArray(out, outA + ROW);
    b1.intoArray(out, outB + ROW);
    a2.intoArray(out, outA + 2 * ROW);
    b2.intoArray(out, outB + 2 * ROW);
    a3.intoArray(out, outA + 3 * ROW);
    b3.intoArray(out, outB + 3 * ROW);
    a4.intoArray(out, outA + 4 * ROW);
    b4.intoArray(out, outB + 4 * ROW);
    a5.intoArray(out, outA + 5 * ROW);
    b5.intoArray(out, outB + 5 * ROW);
    a6.intoArray(out, outA + 6 * ROW);
    b6.intoArray(out, outB + 6 * ROW);
    a7.intoArray(out, outA + 7 * ROW);
    b7.intoArray(out, outB + 7 * ROW);
  }

  private static void tile4(
      float[] w,
      int wA,
      int wB,
      int count,
      float[] x,
      int xOffset,
      int xStride,
      float[] out,
      int outA,
      int outB) {
    final int x1 = xOffset + xStride;
    final int x2 = xOffset + 2 * xStride;
    final int x3 = xOffset + 3 * xStride;
    FloatVector a0 = FloatVector.fromArray(Lanes.FLOATS, out, outA);
    FloatVector b0 = FloatVector.fromArray(Lanes.FLOATS, out, outB);
    FloatVector a1 = FloatVector.fromArray(Lanes.FLOATS, out, outA + ROW);
    FloatVector b1 = FloatVector.fromArray(Lanes.FLOATS, out, outB + ROW);
    FloatVector a2 = FloatVector.fromArray(Lanes.FLOATS, out, outA + 2 * ROW);
    FloatVector b2 = FloatVector.fromArray(Lanes.FLOATS, out, outB + 2 * ROW);
    FloatVector a3 = FloatVector.fromArray(Lanes.FLOATS, out, outA + 3 * ROW);
    FloatVector b3 = FloatVector.fromArray(Lanes.FLOATS, out, outB + 3 * ROW);
    for (int k = 0; k < count; k++) {
      final FloatVector wa = FloatVector.fromArray(Lanes.FLOATS, w, wA + k * PANEL);
      final FloatVector wb = FloatVector.fromArray(Lanes.FLOATS, w, wB + k * PANEL);
      a0 = wa.fma(FloatVector.broadcast(Lanes.FLOATS, x[xOffset + k]), a0);
      b0 = wb.fma(FloatVector.broadcast(Lanes.FLOATS, x[xOffset + k]), b0);
      a1 = wa.fma(FloatVector.broadcast(Lanes.FLOATS, x[x1 + k]), a1);
      b1 = wb.fma(FloatVector.broadcast(Lanes.FLOATS, x[x1 + k]), b1);
      a2 = wa.fma(FloatVector.broadcast(Lanes.FLOATS, x[x2 + k]), a2);
      b2 = wb.fma(FloatVector.broadcast(Lanes.FLOATS, x[x2 + k]), b2);
      a3 = wa.fma(FloatVector.broadcast(Lanes.FLOATS, x[x3 + k]), a3);
      b3 = wb.fma(FloatVector.broadcast(Lanes.FLOATS, x[x3 + k]), b3);
    }
    a0.intoArray(out, outA);
    b0.intoArray(out, outB);
    a1.intoArray(out, outA + ROW);
    b1.intoArray(out, outB + ROW);
    a2.intoArray(out, outA + 2 * ROW);
    b2.intoArray(out, outB + 2 * ROW);
    a3.intoArray(out, outA + 3 * ROW);
    b3.intoArray(out, outB + 3 * ROW);
  }

  private static void tile2(
      float[] w,
      int wA,
      int wB,
      int count,
      float[] x,
      int xOffset,
      int xStride,
      float[] out,
      int outA,
      int outB) {
    final int x1 = xOffset + xStride;
    FloatVector a0 = FloatVector.fromArray(Lanes.FLOATS, out, outA);
    FloatVector b0 = FloatVector.fromArray(Lanes.FLOATS, out, outB);
    FloatVector a1 = FloatVector.fromArray(Lanes.FLOATS, out, outA + ROW);
    FloatVector b1 = FloatVector.fromArray(Lanes.FLOATS, out, outB + ROW);
    for (int k = 0; k < count; k++) {
      final FloatVector wa = FloatVector.fromArray(Lanes.FLOATS, w, wA + k * PANEL);
      final FloatVector wb = FloatVector.fromArray(Lanes.FLOATS, w, wB + k * PANEL);
      a0 = wa.fma(FloatVector.broadcast(Lanes.FLOATS, x[xOffset + k]), a0);
      b0 = wb.fma(FloatVector.broadcast(Lanes.FLOATS, x[xOffset + k]), b0);
      a1 = wa.fma(FloatVector.broadcast(Lanes.FLOATS, x[x1 + k]), a1);
      b1 = wb.fma(FloatVector.broadcast(Lanes.FLOATS, x[x1 + k]), b1);
    }
    a0.intoArray(out, outA);
    b0.intoArray(out, outB);
    a1.intoArray(out, outA + ROW);
    b1.intoArray(out, outB + ROW);
  }

  private static void tile1(
      float[] w,
      int wA,
      int wB,
      int count,
      float[] x,
      int xOffset,
      float[] out,
      int outA,
      int outB) {
    FloatVector a0 = FloatVector.fromArray(Lanes.FLOATS, out, outA);
    FloatVector b0 = FloatVector.fromArray(Lanes.FLOATS, out, outB);
    for (int k = 0; k < count; k++) {
      final FloatVector wa = FloatVector.fromArray(Lanes.FLOATS, w, wA + k * PANEL);
      final FloatVector wb = FloatVector.fromArray(Lanes.FLOATS, w, wB + k * PANEL);
      a0 = wa.fma(FloatVector.broadcast(Lanes.FLOATS, x[xOffset + k]), a0);
      b0 = wb.fma(FloatVector.broadcast(Lanes.FLOATS, x[xOffset + k]), b0);
    }
    a0.intoArray(out, outA);
    b0.intoArray(out, outB);
  }
}
