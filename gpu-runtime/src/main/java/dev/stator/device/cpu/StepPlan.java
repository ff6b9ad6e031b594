package dev.stator.device.cpu;

import dev.stator.device.StepInput;
import java.util.List;

/**
 * A step's tokens as rows of the activations: slice after slice, and after {@link #keepWanted} only
 * the rows whose logits are wanted, one of each such slice.
 *
 * <p>Attention takes runs of neighbouring rows of one slice.
 */
final class StepPlan {
  /** Rows of an attention run: enough to share loads, few enough to spread over threads. */
  private static final int RUN_ROWS = 8;

  private final int[] position;
  private final int[] token;
  private final int[][] blocks;
  private final int[] runStart;
  private final int[] wantedRow;
  private final int[] logitsRowOfSlice;
  private int rowCount;
  private int runCount;
  private int wantedCount;
  private int contextLength;

  StepPlan(int tokensMax) {
    position = new int[tokensMax];
    token = new int[tokensMax];
    blocks = new int[tokensMax][];
    runStart = new int[tokensMax + 1];
    wantedRow = new int[tokensMax];
    logitsRowOfSlice = new int[tokensMax];
  }

  /** Lays out a checked step. */
  void reset(List<StepInput.Slice> slices) {
    rowCount = 0;
    runCount = 0;
    wantedCount = 0;
    contextLength = 0;
    for (int s = 0; s < slices.size(); s++) {
      final StepInput.Slice slice = slices.get(s);
      for (int i = 0; i < slice.tokenCount(); i++) {
        if (i % RUN_ROWS == 0) runStart[runCount++] = rowCount;
        position[rowCount] = slice.start() + i;
        token[rowCount] = slice.tokens()[slice.start() + i];
        blocks[rowCount++] = slice.blocks();
      }
      contextLength = Math.max(contextLength, slice.start() + slice.tokenCount());
      logitsRowOfSlice[s] = slice.wantsLogits() ? wantedCount : -1;
      if (slice.wantsLogits()) wantedRow[wantedCount++] = rowCount - 1;
    }
    runStart[runCount] = rowCount;
  }

  /** From here on only the wanted rows are rows; row {@code i} was {@link #wantedRow} {@code i}. */
  void keepWanted() {
    for (int i = 0; i < wantedCount; i++) {
      position[i] = position[wantedRow[i]];
      blocks[i] = blocks[wantedRow[i]];
      runStart[i] = i;
    }
    runStart[wantedCount] = wantedCount;
    runCount = wantedCount;
    rowCount = wantedCount;
  }

  int rowCount() {
    return rowCount;
  }

  int position(int row) {
    return position[row];
  }

  int token(int row) {
    return token[row];
  }

  /** Blocks of the row's sequence. */
  int[] blocks(int row) {
    return blocks[row];
  }

  int runCount() {
    return runCount;
  }

  /** First row of a run; it ends where the next begins. */
  int runStart(int run) {
    return runStart[run];
  }

  int wantedCount() {
    return wantedCount;
  }

  int wantedRow(int i) {
    return wantedRow[i];
  }

  /** -1 when the slice wants none. */
  int logitsRow(int slice) {
    return logitsRowOfSlice[slice];
  }

  /** Positions that the step touches are below this. */
  int contextLength() {
    return contextLength;
  }
}
