package dev.stator.device.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** What the K-quant layouts share. */
final class KQuants {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(PanelMatrix.ORDER);

  private KQuants() {}

  /** Copies a scale, which must be finite, into a panel. */
  static void copyHalf(
      PanelMatrix matrix, MemorySegment in, long from, long to, int panel, int row) {
    final short scale = in.get(SHORT, from);
    if (!Halves.isFinite(scale >> 8))
      throw matrix.notFinite(panel * PackedMatrix.PANEL_ROWS + row, "scale");
    matrix.data().set(SHORT, to, scale);
  }

  /** Each row's half times its group's signed byte; exact. Once a group, outside the hot loop. */
  static FloatVector loadScaled(MemorySegment w, long halves, long bytes) {
    return ((FloatVector)
            ByteVector.fromMemorySegment(Lanes.BYTES, w, bytes, PanelMatrix.ORDER)
                .convertShape(VectorOperators.B2F, Lanes.FLOATS, 0))
        .mul(Halves.load(w, halves));
  }
}
