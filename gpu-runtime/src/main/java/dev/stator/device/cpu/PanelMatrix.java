package dev.stator.device.cpu;

import dev.stator.model.ModelFormatException;
import dev.stator.model.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;

/**
 * Weights repacked so that the values of 16 output rows lie side by side for each input {@code k}:
 * lanes are output rows, and no lane ever meets another. Rows beyond the last are zero.
 *
 * <p>One token goes through {@link #multiplyOne}, which decodes in registers. More tokens share
 * values that {@link #unpack} decodes once into a float panel in the cache, which {@link
 * FloatTiles} multiplies. Both run the same chain.
 */
abstract class PanelMatrix implements PackedMatrix {
  static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

  /** Inputs that are decoded at a time; a multiple of every format's block. */
  static final int CHUNK = 256;

  /** Columns of a float panel, and its step from one panel of a task to the next. */
  static final int CHUNK_FLOATS = CHUNK * PANEL_ROWS;

  /** Read by narrow vectors beyond the last panel. */
  private static final int SLACK_BYTES = 64;

  // A task's four vectors are streams: vector i lies in panel i / Lanes.PER_PANEL of the group,
  // from row ROWi on.
  static final int ROW0 = 0;
  static final int ROW1 = 1 % Lanes.PER_PANEL * Lanes.COUNT;
  static final int ROW2 = 2 % Lanes.PER_PANEL * Lanes.COUNT;
  static final int ROW3 = 3 % Lanes.PER_PANEL * Lanes.COUNT;
  static final int GROUP_PANELS = 4 / Lanes.PER_PANEL;

  final WeightMatrix source;
  final int columns;
  final long panelBytes;
  private MemorySegment data;

  PanelMatrix(WeightMatrix source, long panelBytes) {
    this.source = source;
    this.columns = source.columnCount();
    this.panelBytes = panelBytes;
  }

  /** Bytes to be given to {@link #place}. */
  final long placeBytes() {
    return panelCount() * panelBytes + SLACK_BYTES;
  }

  /** Says where the packed weights lie; {@link #pack} fills them. */
  final void place(MemorySegment segment) {
    data = segment;
  }

  final MemorySegment data() {
    return data;
  }

  @Override
  public final int rows() {
    return source.rowCount();
  }

  @Override
  public final int columns() {
    return columns;
  }

  @Override
  public final long bytes() {
    return panelCount() * panelBytes;
  }

  /** Repacks the panels of a task. Any thread. */
  final void packTask(int task) {
    final int panelEnd = Math.min(panelCount(), (task + 1) * TASK_PANELS);
    for (int panel = task * TASK_PANELS; panel < panelEnd; panel++) pack(panel);
  }

  /**
   * Repacks one panel from the file. Any thread.
   *
   * @throws ModelFormatException when a scale or value is not finite
   */
  abstract void pack(int panel);

  /**
   * Decodes inputs {@code [k, kEnd)} of a panel into {@code to[toOffset + (i - k) * 16 + row]}.
   *
   * @param k a multiple of {@link #CHUNK}
   */
  abstract void unpack(int panel, int k, int kEnd, float[] to, int toOffset);

  /**
   * The chains of {@code GROUP_PANELS} panels for one token; panels from {@code panelEnd} on are
   * not computed.
   *
   * @param out receives 16 values a panel from {@code outOffset} on; the last panel's may be
   *     written more than once
   */
  abstract void multiplyOne(
      int panel, int panelEnd, float[] x, int xOffset, float[] out, int outOffset);

  @Override
  public final void multiply(
      int panel,
      int panelEnd,
      float[] x,
      int xOffset,
      int xStride,
      int tokens,
      float[] out,
      Scratch scratch) {
    if (tokens == 1) {
      for (int p = panel; p < panelEnd; p += GROUP_PANELS) {
        multiplyOne(p, panelEnd, x, xOffset, out, (p - panel) * PANEL_ROWS);
      }
      return;
    }
    final float[] weights = scratch.weights;
    java.util.Arrays.fill(out, 0, tokens * TASK_ROWS, 0f);
    for (int k = 0; k < columns; k += CHUNK) {
      final int kEnd = Math.min(columns, k + CHUNK);
      for (int p = panel; p < panelEnd; p++)
        unpack(p, k, kEnd, weights, (p - panel) * CHUNK_FLOATS);
      final int vectors = (panelEnd - panel) * Lanes.PER_PANEL;
      FloatTiles.multiply(weights, vectors, kEnd - k, x, xOffset + k, xStride, tokens, out);
    }
  }

  /** Where stream {@code i} of a group begins; streams without a panel repeat the last one. */
  final long streamOffset(int panel, int panelEnd, int i) {
    return Math.min(panel + i / Lanes.PER_PANEL, panelEnd - 1) * panelBytes;
  }

  /** Where stream {@code i} of a group is stored. */
  static int outOffset(int panel, int panelEnd, int i) {
    return Math.min(i / Lanes.PER_PANEL, panelEnd - 1 - panel) * PANEL_ROWS
        + i % Lanes.PER_PANEL * Lanes.COUNT;
  }

  /** Rows of a panel that exist. */
  final int rowsOf(int panel) {
    return Math.min(PANEL_ROWS, rows() - panel * PANEL_ROWS);
  }

  final ModelFormatException notFinite(int row, String what) {
    return new ModelFormatException(
        "tensor " + source.name() + " has a " + what + " that is not finite in row " + row);
  }
}
