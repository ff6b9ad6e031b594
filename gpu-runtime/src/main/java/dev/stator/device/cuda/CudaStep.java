package dev.stator.device.cuda;

import dev.stator.device.StepInput;
import dev.stator.device.StepPlan;
import java.util.ArrayList;
import java.util.List;

/**
 * A step's tables on the device, int32: tokens and positions of its rows, where the rows' sequences
 * begin in the block table, which rows are wanted, and the block table itself. One copy takes them
 * there.
 *
 * <p>Rows beyond the step's own, up to {@link #rowCount}, are padding: they compute token 0 at
 * position 0 in a block of their own, and nobody reads what comes out.
 *
 * <p><b>Threads:</b> the driver's.
 */
final class CudaStep implements AutoCloseable {
  private final StepPlan plan;
  private final int rowsMax;
  private final int spareBlock;
  private final IntTable table;
  private final IntTable lists; // Attention's.
  private AttentionShape shape;
  private AttentionShape.Plan attention;
  private int rowCount;

  /**
   * @param shape which kernels attend to what
   * @param tableMin block table entries that there is room for at first
   * @param spareBlock where padding writes keys and values
   */
  CudaStep(Driver driver, int rowsMax, AttentionShape shape, int tableMin, int spareBlock) {
    this.plan = new StepPlan(rowsMax);
    this.rowsMax = rowsMax;
    this.spareBlock = spareBlock;
    this.shape = shape;
    this.table = new IntTable(driver, 4 * rowsMax, tableMin);
    this.lists = new IntTable(driver, 0, tableMin);
  }

  /**
   * Lays a checked step out and sends it.
   *
   * @param paddedRows at least the step's own
   */
  void upload(List<StepInput.Slice> slices, int paddedRows, Driver.Stream stream) {
    plan.reset(slices);
    rowCount = paddedRows;
    table.clear();
    final int spare = table.append(spareBlock);
    int row = 0;
    final List<AttentionShape.Slice> attended = new ArrayList<>();
    for (StepInput.Slice slice : slices) {
      final int blocks = Math.ceilDiv(slice.start() + slice.tokenCount(), CudaDevice.BLOCK_SIZE);
      final int start = table.append(slice.blocks(), blocks);
      attended.add(new AttentionShape.Slice(row, slice.tokenCount(), slice.start(), start));
      for (int i = 0; i < slice.tokenCount(); i++) row(row++, start);
    }
    for (; row < rowCount; row++) padding(row, spare);
    wanted();
    table.send(stream);
    attention = shape.plan(attended);
    lists.clear();
    lists.append(attention.lists(), attention.lists().length);
    lists.send(stream);
  }

  private void row(int row, int start) {
    table.set(row, plan.token(row));
    table.set(rowsMax + row, plan.position(row));
    table.set(2 * rowsMax + row, start);
  }

  private void padding(int row, int start) {
    table.set(row, 0);
    table.set(rowsMax + row, 0);
    table.set(2 * rowsMax + row, start);
  }

  /** Rows of logits come first, in order, then those that are pooled; both in the step's order. */
  private void wanted() {
    int pooled = plan.logitsCount();
    for (int i = 0; i < plan.wantedCount(); i++) {
      final int logitsRow = plan.logitsRowOfWanted(i);
      table.set(3 * rowsMax + (logitsRow >= 0 ? logitsRow : pooled++), plan.wantedRow(i));
    }
    for (int row = plan.rowCount(); row < rowCount; row++) {
      if (pooled < rowsMax) table.set(3 * rowsMax + pooled++, row);
    }
  }

  /** Which kernels attend to what from the next step on; for measurements. */
  void use(AttentionShape other) {
    shape = other;
  }

  StepPlan plan() {
    return plan;
  }

  int rowCount() {
    return rowCount;
  }

  /** What attention's kernels do, by {@link #attentionLists}. */
  AttentionShape.Plan attention() {
    return attention;
  }

  /** int32, as {@link AttentionShape.Plan#lists}. */
  long attentionLists() {
    return lists.appended();
  }

  /** int32 [rows]. */
  long tokens() {
    return table.fixed(0);
  }

  /** int32 [rows]. */
  long positions() {
    return table.fixed(rowsMax);
  }

  /** int32 [rows], indices into {@link #blocks}. */
  long tableStarts() {
    return table.fixed(2 * rowsMax);
  }

  /** int32 [wanted], rows; those of the padding behind the step's own. */
  long wantedRows() {
    return table.fixed(3 * rowsMax);
  }

  /** int32 block indices, sequence after sequence. */
  long blocks() {
    return table.appended();
  }

  /** Changes when the tables move; what was recorded with their addresses is void then. */
  int generation() {
    return table.generation() + lists.generation();
  }

  @Override
  public void close() {
    table.close();
    lists.close();
  }
}
