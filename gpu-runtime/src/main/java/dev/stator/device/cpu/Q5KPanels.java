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
  private static final KQuants LAYOUT = new KQuants(SUPER, SUPER_BYTES, GROUP, GROUP_BYTES, GROUPS);
  private static final int FILE_BLOCK_BYTES = 176;

  Q5KPanels(WeightMatrix source, KernelChoice choice) {
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
      for (int i = 0; i < GROUP; i++) {
        final FloatVector xi = FloatVector.broadcast(Lanes.FLOATS, x[xg + i]);
        final long q = quants + (long) i * PANEL_ROWS;
        final ByteVector b0 = ByteVector.fromMemorySegment(Lanes.BYTES, w, w0 + q + ROW0, ORDER);
        final ByteVector b1 = ByteVector.fromMemorySegment(Lanes.BYTES, w, w1 + q + ROW1, ORDER);
        final ByteVector b2 = ByteVector.fromMemorySegment(Lanes.BYTES, w, w2 + q + ROW2, ORDER);
        final ByteVector b3 = ByteVector.fromMemorySegment(Lanes.BYTES, w, w3 + q + ROW3, ORDER);
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
