package dev.stator.device.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * What the K-quant layouts share: a super-block begins with vectors of 16 halves, then come its
 * groups, each of which begins with vectors of 16 bytes. A group's scale is a half times a byte,
 * exact in float32.
 *
 * @param superLength inputs of a super-block
 * @param groupLength inputs of a group
 * @param groupsOffset bytes before a super-block's first group
 */
record KQuants(int superLength, int superBytes, int groupLength, int groupBytes, int groupsOffset) {
  /**
   * Scales of a group of panels for one token's chunk of inputs, in groups of 16 inputs or more.
   */
  static final int SCALES_MAX =
      PanelMatrix.GROUP_PANELS * PanelMatrix.ONE_CHUNK / 16 * PackedMatrix.PANEL_ROWS;

  private static final int ROWS = PackedMatrix.PANEL_ROWS;
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(PanelMatrix.ORDER);

  /** Bytes of a panel. */
  long panelBytes(int columns) {
    return (long) columns / superLength * superBytes;
  }

  /** Where the super-block of group {@code g} of a panel begins, from the start of the panel. */
  long superOffset(int g) {
    return g / (superLength / groupLength) * (long) superBytes;
  }

  /** Where group {@code g} of a panel begins, from the start of the panel. */
  long groupOffset(int g) {
    return superOffset(g) + groupsOffset + g % (superLength / groupLength) * (long) groupBytes;
  }

  /** Copies a scale, which must be finite, into a panel. */
  static void copyHalf(
      PanelMatrix matrix, MemorySegment in, long from, long to, int panel, int row) {
    final short scale = in.get(SHORT, from);
    if (!Halves.isFinite(scale >> 8)) throw matrix.notFinite(panel * ROWS + row, "scale");
    matrix.data().set(SHORT, to, scale);
  }

  /**
   * The scales of whole super-blocks of a panel, groups {@code [g, gEnd)}, 16 values a group:
   * halves at {@code halvesOffset} of each super-block times signed bytes at {@code bytesOffset} of
   * each group, times {@code sign}.
   */
  void scales(
      MemorySegment w,
      long panel,
      int g,
      int gEnd,
      int halvesOffset,
      int bytesOffset,
      float sign,
      float[] to,
      int toOffset) {
    final int superGroups = superLength / groupLength;
    for (int row = 0; row < ROWS; row += Lanes.COUNT) {
      for (int i = g; i < gEnd; i += superGroups) {
        final long block = panel + superOffset(i);
        final FloatVector half = Halves.load(w, block + halvesOffset + 2 * row).mul(sign);
        final long bytes = block + groupsOffset + bytesOffset + row;
        final int at = toOffset + (i - g) * ROWS + row;
        for (int n = 0; n < superGroups; n++) {
          final ByteVector scale =
              ByteVector.fromMemorySegment(
                  Lanes.BYTES, w, bytes + (long) n * groupBytes, PanelMatrix.ORDER);
          ((FloatVector) scale.convertShape(VectorOperators.B2F, Lanes.FLOATS, 0))
              .mul(half)
              .intoArray(to, at + n * ROWS);
        }
      }
    }
  }

  /**
   * Where stream {@code i} of a group of panels finds its scales when each panel has {@code
   * groups}.
   */
  static int streamScales(int panel, int panelEnd, int i, int groups) {
    return Math.min(i / Lanes.PER_PANEL, panelEnd - 1 - panel) * groups * ROWS
        + i % Lanes.PER_PANEL * Lanes.COUNT;
  }
}
