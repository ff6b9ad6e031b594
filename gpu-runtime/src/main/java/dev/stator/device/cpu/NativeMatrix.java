package dev.stator.device.cpu;

import dev.stator.model.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * Weights in the layout of a native kernel; what it is stands in {@code src/main/c}. They may be
 * multiplied before they are packed: each panel of such a task is packed into {@link
 * Scratch#panel}, every time, and multiplied from there by the same kernel.
 *
 * <p><b>Threads:</b> one packs a task, others may multiply it meanwhile.
 */
final class NativeMatrix extends StoredMatrix {
  /** Products of one call: a millisecond's at most on a processor with AVX2 alone. */
  private static final long CALL_PRODUCTS_MAX = 32L << 20;

  /** Tokens of a tile: a call begins with a whole one. */
  private static final int TILE_TOKENS = 16;

  private final NativeKernels.Format format;

  /** 1 for each task that lies packed in its place, set once it does. */
  private final AtomicIntegerArray isPacked;

  NativeMatrix(WeightMatrix source, NativeKernels.Format format) {
    super(source, format.panelBytes(source.columnCount()));
    this.format = format;
    isPacked = new AtomicIntegerArray(taskCount());
  }

  @Override
  public Inputs.Form inputForm() {
    return format.form();
  }

  @Override
  void packTask(int task) {
    super.packTask(task);
    isPacked.setRelease(task, 1);
  }

  @Override
  void pack(int panel) {
    pack(panel, data().asSlice(panel * panelBytes, panelBytes));
  }

  /**
   * Does all that packing a task does, but leaves the weights nowhere.
   *
   * @param panel memory for one
   * @throws dev.stator.model.ModelFormatException as {@link #pack}
   */
  void checkTask(int task, MemorySegment panel) {
    final int panelEnd = Math.min(panelCount(), (task + 1) * TASK_PANELS);
    for (int i = task * TASK_PANELS; i < panelEnd; i++) pack(i, panel);
  }

  private void pack(int panel, MemorySegment to) {
    final int row = panel * PANEL_ROWS;
    final long bad = format.pack(rows(row, rowsOf(panel)), rowsOf(panel), columns, to);
    if (bad >= 0) {
      throw notFinite(row + (int) bad, source.type().blockLength() == 1 ? "value" : "scale");
    }
  }

  @Override
  public void multiply(
      int panel,
      int panelEnd,
      Inputs inputs,
      int firstToken,
      int tokens,
      float[] out,
      Scratch scratch) {
    final MemorySegment to = MemorySegment.ofArray(out);
    if (isPacked.getAcquire(panel / TASK_PANELS) != 0) {
      final long panels = data().address() + panel * panelBytes;
      multiply(panels, panelEnd - panel, inputs, firstToken, tokens, to);
      return;
    }
    for (int i = panel; i < panelEnd; i++) {
      pack(i, scratch.panel);
      final MemorySegment ofPanel = to.asSlice(4L * (i - panel) * PANEL_ROWS);
      multiply(scratch.panel.address(), 1, inputs, firstToken, tokens, ofPanel);
    }
  }

  /**
   * @param panels address of the first one
   */
  private void multiply(
      long panels, int panelCount, Inputs inputs, int firstToken, int tokens, MemorySegment to) {
    final long perToken = (long) panelCount * PANEL_ROWS * columns;
    final int tiles = (int) Math.max(1, CALL_PRODUCTS_MAX / (perToken * TILE_TOKENS));
    final int step = tiles * TILE_TOKENS;
    for (int token = 0; token < tokens; token += step) {
      format.multiply(
          panels,
          panelCount,
          columns,
          inputs.address(format.form(), firstToken + token),
          Math.min(step, tokens - token),
          to.asSlice(4L * token * TASK_ROWS),
          TASK_ROWS);
    }
  }
}
