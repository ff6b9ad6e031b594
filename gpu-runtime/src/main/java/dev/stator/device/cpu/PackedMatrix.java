package dev.stator.device.cpu;

/**
 * A projection's weights in the layout of one kernel family. Output rows come in panels of {@link
 * #PANEL_ROWS}; a task multiplies up to {@link #TASK_PANELS} neighbouring panels.
 *
 * <p>Every output is the same scalar program, whatever the number of tokens or the cut into tasks.
 * Which one is the kernel family's ({@link Inputs.Form#program()}, defined in {@code NUMERICS.md}),
 * with the weights that the format defines ({@link dev.stator.model.WeightDecoder}).
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

  /** What {@link #multiply} reads. */
  Inputs.Form inputForm();

  /**
   * Computes the outputs of panels {@code [panel, panelEnd)} for {@code tokens} tokens.
   *
   * @param panel a multiple of {@link #TASK_PANELS}
   * @param inputs prepared in the form {@link #inputForm}
   * @param firstToken of the inputs: 0, or where a group of them begins
   * @param out receives row {@code panel * 16 + r} of token {@code t} at {@code t * TASK_ROWS + r};
   *     what lies beyond the matrix's last row is undefined
   */
  void multiply(
      int panel,
      int panelEnd,
      Inputs inputs,
      int firstToken,
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
