package dev.stator.device.cpu;

import dev.stator.model.WeightDecoder;
import dev.stator.model.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Q5_K weights, a byte a value. For each super-block of 256 inputs:
 *
 * <pre>
 *   0                32                64                                        4416
 *   | 16 f16 scales  | 16 f16 minimums | group 0 | group 1 |  ...   | group 7     |
 *
 *   group := 16 scale bytes | 16 minimum bytes | input 0: 16 rows' bytes | input 1 | ... | 31
 * </pre>
 *
 * <p>value = (scale * groupScale) * byte - (minimum * groupMinimum): all products are exact in
 * float32, so that one fused multiply-add is the format's product and difference.
 */
final class Q5KPanels extends PanelMatrix {
  private static final int SUPER = 256;
  private static final int GROUP = 32;
  private static final int MINIMUMS = PANEL_ROWS * Short.BYTES;
  private static final int GROUPS = 2 * MINIMUMS;
  private static final int GROUP_MINIMUMS = PANEL_ROWS;
  private static final int QUANTS = 2 * PANEL_ROWS;
  private static final int GROUP_BYTES = QUANTS + GROUP * PANEL_ROWS;
  private static final int SUPER_BYTES = GROUPS + SUPER / GROUP * GROUP_BYTES;
  private static final int FILE_BLOCK_BYTES = 176;

  Q5KPanels(WeightMatrix source) {
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
        KQuants.copyHalf(this, in, from, to + 2 * r, panel, r);
        KQuants.copyHalf(this, in, from + 2, to + MINIMUMS + 2 * r, panel, r);
        for (int g = 0; g < SUPER / GROUP; g++)
          packGroup(in, from, g, to + GROUPS + g * GROUP_BYTES + r);
      }
    }
  }

  private void packGroup(MemorySegment in, long from, int g, long to) {
    data().set(ValueLayout.JAVA_BYTE, to, (byte) WeightDecoder.groupScale(in, from + 4, g));
    data()
        .set(
            ValueLayout.JAVA_BYTE,
            to + GROUP_MINIMUMS,
            (byte) WeightDecoder.groupMin(in, from + 4, g));
    for (int i = 0; i < GROUP; i++) {
      final int low =
          in.get(ValueLayout.JAVA_BYTE, from + 48 + g / 2 * GROUP + i) >> g % 2 * 4 & 0xF;
      final int high = in.get(ValueLayout.JAVA_BYTE, from + 16 + i) >> g & 1;
      data()
          .set(
              ValueLayout.JAVA_BYTE, to + QUANTS + (long) i * PANEL_ROWS, (byte) (low | high << 4));
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
        for (int i = 0; i < GROUP; i++) {
          final long from = group + QUANTS + row + (long) i * PANEL_ROWS;
          final ByteVector b = ByteVector.fromMemorySegment(Lanes.BYTES, w, from, ORDER);
          ((FloatVector) b.convertShape(VectorOperators.B2F, Lanes.FLOATS, 0))
              .fma(scale, minimum)
              .intoArray(to, toOffset + row + (at - k + i) * PANEL_ROWS);
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
      final long quants = group + QUANTS;
      final int xg = xOffset + g * GROUP;
      for (int i = 0; i < GROUP; i++) {
        final FloatVector xi = FloatVector.broadcast(Lanes.FLOATS, x[xg + i]);
        final long step = (long) i * PANEL_ROWS;
        final ByteVector b0 =
            ByteVector.fromMemorySegment(Lanes.BYTES, w, w0 + quants + ROW0 + step, ORDER);
        final ByteVector b1 =
            ByteVector.fromMemorySegment(Lanes.BYTES, w, w1 + quants + ROW1 + step, ORDER);
        final ByteVector b2 =
            ByteVector.fromMemorySegment(Lanes.BYTES, w, w2 + quants + ROW2 + step, ORDER);
        final ByteVector b3 =
            ByteVector.fromMemorySegment(Lanes.BYTES, w, w3 + quants + ROW3 + step, ORDER);
        a0 =
            ((FloatVector) b0.convertShape(VectorOperators.B2F, Lanes.FLOATS, 0))
                .fma(s0, m0)
                .fma(xi, a0);
        a1 =
            ((FloatVector) b1.convertShape(VectorOperators.B2F, Lanes.FLOATS, 0))
                .fma(s1, m1)
                .fma(xi, a1);
        a2 =
            ((FloatVector) b2.convertShape(VectorOperators.B2F, Lanes.FLOATS, 0))
                .fma(s2, m2)
                .fma(xi, a2);
        a3 =
            ((FloatVector) b3.convertShape(VectorOperators.B2F, Lanes.FLOATS, 0))
                .fma(s3, m3)
                .fma(xi, a3);
      }
    }
    a3.intoArray(out, outOffset + outOffset(panel, panelEnd, 3));
    a2.intoArray(out, outOffset + outOffset(panel, panelEnd, 2));
    a1.intoArray(out, outOffset + outOffset(panel, panelEnd, 1));
    a0.intoArray(out, outOffset + outOffset(panel, panelEnd, 0));
  }
}
