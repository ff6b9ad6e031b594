package dev.stator.model;

/**
 * Factors of a weight's stored values, one for each block of rows and columns, the last of a row or
 * column being as short as it comes out.
 *
 * @param factors row of blocks by row of blocks, not to be changed
 * @param blockRows rows of a block
 * @param blockColumns columns of a block
 * @param blocksOfRow blocks side by side
 * @param firstRow the weight's first row, in the rows that the blocks count
 * @param firstColumn its first column likewise
 */
public record WeightScales(
    float[] factors,
    int blockRows,
    int blockColumns,
    int blocksOfRow,
    int firstRow,
    int firstColumn) {
  /** One for all rows and columns. */
  public static WeightScales ofTensor(float factor) {
    return new WeightScales(new float[] {factor}, Integer.MAX_VALUE, Integer.MAX_VALUE, 1, 0, 0);
  }

  /** One for each row. */
  public static WeightScales ofRows(float[] factors) {
    return new WeightScales(factors, 1, Integer.MAX_VALUE, 1, 0, 0);
  }

  /** One for each square of {@code size} rows and columns. */
  public static WeightScales ofSquares(float[] factors, int size, int columnCount) {
    return new WeightScales(factors, size, size, Math.ceilDiv(columnCount, size), 0, 0);
  }

  /** The factor of a value. */
  public float of(int row, int column) {
    return factors[
        (firstRow + row) / blockRows * blocksOfRow + (firstColumn + column) / blockColumns];
  }

  /** The largest factor. */
  public float max() {
    float max = 0;
    for (float factor : factors) max = Math.max(max, factor);
    return max;
  }

  /** Those of the rows from {@code row} on. */
  WeightScales from(int row) {
    return new WeightScales(
        factors, blockRows, blockColumns, blocksOfRow, firstRow + row, firstColumn);
  }

  /** Those of the columns from {@code column} on. */
  public WeightScales fromColumn(int column) {
    return new WeightScales(
        factors, blockRows, blockColumns, blocksOfRow, firstRow, firstColumn + column);
  }
}
