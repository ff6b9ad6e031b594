package dev.stator.device;

import dev.stator.model.Pooling;
import java.util.List;

/**
 * A step's tokens as rows of the activations: slice after slice, and after {@link #keepWanted} only
 * the rows whose logits or hidden states are wanted.
 *
 * <p>Attention takes runs of neighbouring rows of one slice.
 */
public final class StepPlan {
  /** Rows of an attention run: enough to share loads, few enough to spread over threads. */
  private static final int RUN_ROWS = 8;

  private final int[] position;
  private final int[] token;
  private final int[][] blocks;
  private final int[] runStart;
  private final int[] wantedRow;
  private final int[] logitsRowOfWanted; // -1 where only the hidden state is wanted.
  private final StepInput.Pooled[] pooledOfWanted;
  private final boolean[] bestSuffices; // By row of logits.
  private final int[] logitsRowOfSlice; // Its first; the others follow.
  private final int[] logitsCountOfSlice;
  private int rowCount;
  private int runCount;
  private int wantedCount;
  private int logitsCount;
  private int contextLength;

  public StepPlan(int tokensMax) {
    position = new int[tokensMax];
    token = new int[tokensMax];
    blocks = new int[tokensMax][];
    runStart = new int[tokensMax + 1];
    wantedRow = new int[tokensMax];
    logitsRowOfWanted = new int[tokensMax];
    pooledOfWanted = new StepInput.Pooled[tokensMax];
    bestSuffices = new boolean[tokensMax];
    logitsRowOfSlice = new int[tokensMax];
    logitsCountOfSlice = new int[tokensMax];
  }

  /** Lays out a checked step. */
  public void reset(List<StepInput.Slice> slices) {
    rowCount = 0;
    runCount = 0;
    wantedCount = 0;
    logitsCount = 0;
    contextLength = 0;
    for (int s = 0; s < slices.size(); s++) {
      final StepInput.Slice slice = slices.get(s);
      final boolean poolsAll = slice.pooled() != null && slice.pooled().pooling() == Pooling.MEAN;
      logitsRowOfSlice[s] = logitsCount;
      logitsCountOfSlice[s] = slice.logitsCount();
      for (int i = 0; i < slice.tokenCount(); i++) {
        if (i % RUN_ROWS == 0) runStart[runCount++] = rowCount;
        position[rowCount] = slice.start() + i;
        token[rowCount] = slice.tokens()[slice.start() + i];
        blocks[rowCount++] = slice.blocks();
        final boolean isLast = i == slice.tokenCount() - 1;
        final boolean wantsLogits = i >= slice.tokenCount() - slice.logitsCount();
        if (wantsLogits || poolsAll || isLast && slice.pooled() != null) want(slice, wantsLogits);
      }
      contextLength = Math.max(contextLength, slice.start() + slice.tokenCount());
    }
    runStart[runCount] = rowCount;
  }

  /** The row that was laid out last. */
  private void want(StepInput.Slice slice, boolean wantsLogits) {
    if (wantsLogits) bestSuffices[logitsCount] = slice.bestSuffices();
    logitsRowOfWanted[wantedCount] = wantsLogits ? logitsCount++ : -1;
    pooledOfWanted[wantedCount] = slice.pooled();
    wantedRow[wantedCount++] = rowCount - 1;
  }

  /** From here on only the wanted rows are rows; row {@code i} was {@link #wantedRow} {@code i}. */
  public void keepWanted() {
    for (int i = 0; i < wantedCount; i++) {
      position[i] = position[wantedRow[i]];
      blocks[i] = blocks[wantedRow[i]];
      runStart[i] = i;
    }
    runStart[wantedCount] = wantedCount;
    runCount = wantedCount;
    rowCount = wantedCount;
  }

  public int rowCount() {
    return rowCount;
  }

  public int position(int row) {
    return position[row];
  }

  public int token(int row) {
    return token[row];
  }

  /** Blocks of the row's sequence. */
  public int[] blocks(int row) {
    return blocks[row];
  }

  public int runCount() {
    return runCount;
  }

  /** First row of a run; it ends where the next begins. */
  public int runStart(int run) {
    return runStart[run];
  }

  public int wantedCount() {
    return wantedCount;
  }

  public int wantedRow(int i) {
    return wantedRow[i];
  }

  public int logitsCount() {
    return logitsCount;
  }

  /** Whether the likeliest token is all that is asked of a row of logits, unless there is none. */
  public boolean bestSuffices(int logitsRow) {
    return bestSuffices[logitsRow];
  }

  /** Which of the rows of logits a wanted row is, -1 for none. */
  public int logitsRowOfWanted(int i) {
    return logitsRowOfWanted[i];
  }

  /** Where a wanted row's hidden state goes; {@code null} for nowhere. */
  public StepInput.Pooled pooled(int i) {
    return pooledOfWanted[i];
  }

  /** -1 when the slice wants fewer. */
  public int logitsRow(int slice, int row) {
    return row >= 0 && row < logitsCountOfSlice[slice] ? logitsRowOfSlice[slice] + row : -1;
  }

  /** Positions that the step touches are below this. */
  public int contextLength() {
    return contextLength;
  }
}
