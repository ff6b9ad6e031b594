package dev.stator.device.cpu;

/**
 * A projection's weights in the layout of one kernel family. Output rows come in panels of {@link
 * #PANEL_ROWS}; a task multiplies up to {@link #TASK_PANELS} neighbouring panels.
 *
 * <p>Every output is the same scalar program, whatever the family, the number of tokens or the cut
 * into tasks:
 *
 * <pre>
 *   float acc = 0;
 *   for (int k = 0; k &lt; columns; k++) acc = fma(weight[row][k], x[k], acc);
 * </pre>
 *
 * with {@code weight} the float32 value that the format defines ({@link
 * dev.stator.model.WeightDecoder}).
 *
 * <p><b>Threads:</b> any number may multiply at once, each with its own output and scratch.
 */
interface PackedMatrix {
  int PANEL_ROWS = 16;
  int TASK_PANELS = 4;
  int TASK_ROWS = TASK_PANELS * PANEL_ROWS;

  int rows();

  int columns();

  /** Bytes of the packed weights. */
  long bytes();

  /**
   * Computes the outputs of panels {@code [panel, panelEnd)}.
   *
   * @param panel a multiple of {@link #TASK_PANELS}
   * @param x inputs, token {@code t}'s at {@code xOffset + t * xStride}
   * @param out receives row {@code panel * 16 + r} of token {@code t} at {@code t * TASK_ROWS + r};
   *     what lies beyond the matrix's last row is undefined
   */
  void multiply(
      int panel,
      int panelEnd,
      float[] x,
      int xOffset,
      int xStride,
      int tokens,
      float[] out,
      Scratch scratch);

  default int panelCount() {
    return (rows() + PANEL_ROWS - 1) / PANEL_ROWS;
  }

  default int taskCount() {
    return (panelCount() + TASK_PANELS - 1) / TASK_PANELS;
  }
}
