package dev.stator.device.cpu;

import dev.stator.model.WeightDecoder;
import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Q8_0 weights, as many bytes as in the file, and IQ4_NL weights, whose nibbles become the signed
 * bytes that they number: 8.5 bits a value, 4.5 in the file. For each group of 32 inputs:
 *
 * <pre>
 *   0                32                                              544
 *   | 16 f16 scales  | input 0: 16 rows' bytes | input 1 | ... | 31  |
 * </pre>
 */
final class Q8Panels extends PanelMatrix {
  private static final int GROUP = 32;
  private static final int QUANTS = PANEL_ROWS * Short.BYTES;
  private static final int GROUP_BYTES = QUANTS + GROUP * PANEL_ROWS;
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ORDER);

  Q8Panels(WeightMatrix source, KernelChoice choice) {
    super(
        source,
        (long) source.columnCount() / GROUP * GROUP_BYTES,
        CHUNK / GROUP * GROUP_BYTES,
        choice);
  }

  @Override
  void pack(int panel) {
    final int rows = rowsOf(panel);
    final boolean isNonLinear = source.type() == WeightType.IQ4_NL;
    final int blockBytes = source.type().blockBytes();
    final byte[] in = new byte[blockBytes];
    final byte[] group = new byte[GROUP_BYTES];
    for (int g = 0; g < columns / GROUP; g++) {
      for (int r = 0; r < rows; r++) {
        final int row = panel * PANEL_ROWS + r;
        MemorySegment.copy(
            source.row(row), ValueLayout.JAVA_BYTE, (long) g * blockBytes, in, 0, in.length);
        if (!Halves.isFinite(in[1])) throw notFinite(row, "scale");
        group[2 * r] = in[0];
        group[2 * r + 1] = in[1];
        for (int i = 0; i < GROUP; i++) {
          group[QUANTS + i * PANEL_ROWS + r] = isNonLinear ? numbered(in, i) : in[2 + i];
        }
      }
      final long to = panel * panelBytes + (long) g * GROUP_BYTES;
      MemorySegment.copy(group, 0, data(), ValueLayout.JAVA_BYTE, to, group.length);
    }
  }

  private static byte numbered(byte[] block, int i) {
    return WeightDecoder.nonLinear(block[2 + i % 16] >> i / 16 * 4 & 0xF);
  }

  @Override
  void unpack(int panel, int k, int kEnd, float[] to, int toOffset, Scratch scratch) {
    final MemorySegment w = data();
    for (int row = 0; row < PANEL_ROWS; row += Lanes.COUNT) {
      int at = toOffset + row;
      for (int g = k / GROUP; g < kEnd / GROUP; g++) {
        final long from = panel * panelBytes + (long) g * GROUP_BYTES;
        final FloatVector scale = Halves.load(w, from + 2 * row);
        final long quants = from + QUANTS + row;
        for (int i = 0; i < GROUP; i++) {
          ((FloatVector)
                  ByteVector.fromMemorySegment(Lanes.BYTES, w, quants + i * PANEL_ROWS, ORDER)
                      .convertShape(VectorOperators.B2F, Lanes.FLOATS, 0))
              .mul(scale)
              .intoArray(to, at + i * PANEL_ROWS);
        }
        at += GROUP * PANEL_ROWS;
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
      final long q0 = w0 + at + QUANTS + ROW0;
      final long q1 = w1 + at + QUANTS + ROW1;
      final long q2 = w2 + at + QUANTS + ROW2;
      final long q3 = w3 + at + QUANTS + ROW3;
      final int xg = xOffset + g * GROUP;
      for (int i = 0; i < GROUP; i++) {
        final FloatVector xi = FloatVector.broadcast(Lanes.FLOATS, x[xg + i]);
        final long step = (long) i * PANEL_ROWS;
        final ByteVector b0 = ByteVector.fromMemorySegment(Lanes.BYTES, w, q0 + step, ORDER);
        final ByteVector b1 = ByteVector.fromMemorySegment(Lanes.BYTES, w, q1 + step, ORDER);
        final ByteVector b2 = ByteVector.fromMemorySegment(Lanes.BYTES, w, q2 + step, ORDER);
        final ByteVector b3 = ByteVector.fromMemorySegment(Lanes.BYTES, w, q3 + step, ORDER);
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
    a3.intoArray(out, o3);
    a2.intoArray(out, o2);
    a1.intoArray(out, o1);
    a0.intoArray(out, o0);
  }
}
