package dev.stator.device.cpu;

import dev.stator.model.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Q6_K weights, a signed byte a value (the file's six bits less 32). For each super-block of 256
 * inputs:
 *
 * <pre>
 *   0                32                                          4384
 *   | 16 f16 scales  | group 0 | group 1 |  ...     | group 15    |
 *
 *   group := 16 signed scale bytes | input 0: 16 rows' bytes | input 1 | ... | 15
 * </pre>
 *
 * <p>value = (scale * groupScale) * byte; the first product is exact, the second rounds once.
 */
final class Q6KPanels extends PanelMatrix {
  private static final int SUPER = 256;
  private static final int GROUP = 16;
  private static final int GROUPS = PANEL_ROWS * Short.BYTES;
  private static final int QUANTS = PANEL_ROWS;
  private static final int GROUP_BYTES = QUANTS + GROUP * PANEL_ROWS;
  private static final int SUPER_BYTES = GROUPS + SUPER / GROUP * GROUP_BYTES;
  private static final KQuants LAYOUT = new KQuants(SUPER, SUPER_BYTES, GROUP, GROUP_BYTES, GROUPS);
  private static final int FILE_BLOCK_BYTES = 210;

  Q6KPanels(WeightMatrix source, KernelChoice choice) {
    super(source, LAYOUT.panelBytes(source.columnCount()), SUPER_BYTES, choice);
  }

  @Override
  void pack(int panel) {
    final int rows = rowsOf(panel);
    final byte[] block = new byte[FILE_BLOCK_BYTES];
    final byte[] packed = new byte[SUPER_BYTES]; // Arrays: a segment's checks would cost the most.
    for (int b = 0; b < columns / SUPER; b++) {
      final long from = (long) b * FILE_BLOCK_BYTES;
      final long to = panel * panelBytes + (long) b * SUPER_BYTES;
      for (int r = 0; r < rows; r++) {
        final MemorySegment in = source.row(panel * PANEL_ROWS + r);
        MemorySegment.copy(in, ValueLayout.JAVA_BYTE, from, block, 0, FILE_BLOCK_BYTES);
        for (int g = 0; g < SUPER / GROUP; g++)
          packed[GROUPS + g * GROUP_BYTES + r] = block[192 + g];
        packQuants(block, packed, GROUPS + r);
      }
      MemorySegment.copy(packed, 0, data(), ValueLayout.JAVA_BYTE, to, SUPER_BYTES);
      for (int r = 0; r < rows; r++) {
        final MemorySegment in = source.row(panel * PANEL_ROWS + r);
        KQuants.copyHalf(this, in, from + 208, to + 2 * r, panel, r);
      }
    }
  }

  /**
   * Of each 128 values, value i of quarter q has four bits in low byte i + 32 (q % 2), two in high
   * byte i.
   */
  private static void packQuants(byte[] block, byte[] packed, int to) {
    for (int i = 0; i < SUPER; i++) {
      final int half = i / 128;
      final int quarter = i % 128 / 32;
      final int low = block[half * 64 + quarter % 2 * 32 + i % 32] >> quarter / 2 * 4 & 0xF;
      final int high = block[128 + half * 32 + i % 32] >> 2 * quarter & 3;
      packed[to + i / GROUP * GROUP_BYTES + QUANTS + i % GROUP * PANEL_ROWS] =
          (byte) ((low | high << 4) - 32);
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
        for (int i = 0; i < GROUP; i++) {
          final long from = group + QUANTS + row + (long) i * PANEL_ROWS;
          final ByteVector b = ByteVector.fromMemorySegment(Lanes.BYTES, w, from, ORDER);
          ((FloatVector) b.convertShape(VectorOperators.B2F, Lanes.FLOATS, 0))
              .mul(scale)
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
      for (int i = 0; i < GROUP; i++) {
        final FloatVector xi = FloatVector.broadcast(Lanes.FLOATS, x[xg + i]);
        final long q = quants + (long) i * PANEL_ROWS;
        final ByteVector b0 = ByteVector.fromMemorySegment(Lanes.BYTES, w, w0 + q + ROW0, ORDER);
        final ByteVector b1 = ByteVector.fromMemorySegment(Lanes.BYTES, w, w1 + q + ROW1, ORDER);
        final ByteVector b2 = ByteVector.fromMemorySegment(Lanes.BYTES, w, w2 + q + ROW2, ORDER);
        final ByteVector b3 = ByteVector.fromMemorySegment(Lanes.BYTES, w, w3 + q + ROW3, ORDER);
        a0 =
            ((FloatVector) b0.convertShape(VectorOperators.B2F, Lanes.FLOATS, 0))
                .mul(s0)
                .fma(xi, a0);
        a1 =
            ((FloatVector) b1.convertShape(VectorOperators.B2F, Lanes.FLOATS, 0))
                .mul(s1)
                .fma(xi, a1);
        a2 =
            ((FloatVector) b2.convertShape(VectorOperators.B2F, Lanes.FLOATS, 0))
                .mul(s2)
                .fma(xi, a2);
        a3 =
            ((FloatVector) b3.convertShape(VectorOperators.B2F, Lanes.FLOATS, 0))
                .mul(s3)
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
    }
  }
}
