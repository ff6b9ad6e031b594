package dev.stator.device.cpu;

import dev.stator.model.WeightMatrix;
import java.lang.foreign.MemorySegment;

/** Weights in the layout of a native kernel; what it is stands in {@code src/main/c}. */
final class NativeMatrix extends StoredMatrix {
  /** Products of one call: a millisecond's at most on a processor with AVX2 alone. */
  private static final long CALL_PRODUCTS_MAX = 32L << 20;

  /** Tokens of a tile: a call begins with a whole one. */
  private static final int TILE_TOKENS = 16;

  private final NativeKernels.Format format;

  NativeMatrix(WeightMatrix source, NativeKernels.Format format) {
    super(source, format.panelBytes(source.columnCount()));
    this.format = format;
  }

  @Override
  public Inputs.Form inputForm() {
    return format.form();
  }

  @Override
  void pack(int panel) {
    final int row = panel * PANEL_ROWS;
    final long rowBytes = source.type().byteSize(columns);
    final long bad =
        format.pack(
            source.data().asSlice(row * rowBytes, rowsOf(panel) * rowBytes),
            rowsOf(panel),
            columns,
            data().asSlice(panel * panelBytes, panelBytes));
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
    final long perToken = (long) (panelEnd - panel) * PANEL_ROWS * columns;
    final int tiles = (int) Math.max(1, CALL_PRODUCTS_MAX / (perToken * TILE_TOKENS));
    final int step = tiles * TILE_TOKENS;
    final long panels = data().address() + panel * panelBytes;
    final MemorySegment to = MemorySegment.ofArray(out);
    for (int token = 0; token < tokens; token += step) {
      format.multiply(
          panels,
          panelEnd - panel,
          columns,
          inputs.address(format.form(), firstToken + token),
          Math.min(step, tokens - token),
          to.asSlice(4L * token * TASK_ROWS),
          TASK_ROWS);
    }
  }
}
