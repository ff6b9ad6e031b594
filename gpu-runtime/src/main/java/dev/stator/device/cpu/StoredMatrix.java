package dev.stator.device.cpu;

import dev.stator.model.ModelFormatException;
import dev.stator.model.WeightDecoder;
import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightType;
import java.lang.foreign.MemorySegment;

/** Where a matrix's panels lie, one behind the other, and how they get there. */
abstract class StoredMatrix implements PackedMatrix {
  /** Read by narrow vectors beyond the last panel. */
  private static final int SLACK_BYTES = 64;

  final WeightMatrix source;
  final WeightType packedAs;
  final int columns;
  final long panelBytes;
  private MemorySegment data;

  StoredMatrix(WeightMatrix source, long panelBytes) {
    this.source = source;
    this.packedAs = packedAs(source.type());
    this.columns = source.columnCount();
    this.panelBytes = panelBytes;
  }

  /** The type whose kernels compute a weight: 8-bit floats are widened to bf16. */
  static WeightType packedAs(WeightType type) {
    return type == WeightType.F8_E4M3 ? WeightType.BF16 : type;
  }

  /** The bytes of rows {@code [first, first + count)} as {@link #packedAs} stores them. */
  final MemorySegment rows(int first, int count) {
    final long rowBytes = source.type().byteSize(columns);
    if (packedAs == source.type()) {
      return source.data().asSlice(first * rowBytes, count * rowBytes);
    }
    final MemorySegment widened = MemorySegment.ofArray(new short[count * columns]);
    for (int i = 0; i < count; i++) {
      WeightDecoder.rowAsBf16(source, first + i, widened, (long) Short.BYTES * i * columns);
    }
    return widened;
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
  void packTask(int task) {
    final int panelEnd = Math.min(panelCount(), (task + 1) * TASK_PANELS);
    for (int panel = task * TASK_PANELS; panel < panelEnd; panel++) pack(panel);
  }

  /**
   * Repacks one panel from the file. Any thread.
   *
   * @throws ModelFormatException when a scale or value is not finite
   */
  abstract void pack(int panel);

  /** Says whether this matrix will have left the caches by the time it is used again. */
  void setBeyondCaches(boolean isBeyondCaches) {}

  /** Rows of a panel that exist. */
  final int rowsOf(int panel) {
    return Math.min(PANEL_ROWS, rows() - panel * PANEL_ROWS);
  }

  final ModelFormatException notFinite(int row, String what) {
    return new ModelFormatException(
        "tensor " + source.name() + " has a " + what + " that is not finite in row " + row);
  }
}
