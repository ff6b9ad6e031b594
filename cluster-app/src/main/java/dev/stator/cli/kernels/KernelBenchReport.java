package dev.stator.cli.kernels;

import java.util.List;

/**
 * All that a run measured.
 *
 * @param machine in words
 * @param startedAt ISO 8601
 */
public record KernelBenchReport(
    String machine,
    String stator,
    String startedAt,
    int threads,
    int rows,
    int columns,
    int rounds,
    List<Figure> figures) {
  public KernelBenchReport {
    figures = List.copyOf(figures);
  }

  /**
   * A matrix times {@code tokens} rows of inputs; medians over rounds.
   *
   * @param packedBytes of the matrix in this family's layout
   * @param gigabytesPerSecond packed bytes read, powers of ten
   * @param gigaflopsPerSecond a multiplication and an addition for each value and token
   * @param ofRead of each round's own gigabytes a second to those of a plain read of the same
   *     bytes, median; 1 is as fast as the memory
   * @param ofReadLow the worst round's
   * @param ofReadHigh the best round's
   */
  public record Figure(
      String type,
      String family,
      int tokens,
      long packedBytes,
      double gigabytesPerSecond,
      double gigaflopsPerSecond,
      double ofRead,
      double ofReadLow,
      double ofReadHigh) {}
}
