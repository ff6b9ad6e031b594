package dev.stator.cli.engine;

import java.util.List;

/**
 * All that a run measured.
 *
 * @param machine in words
 * @param startedAt ISO 8601
 * @param comparedWith the contender that ratios are to; {@code null} when there is only one
 */
public record EngineBenchReport(
    String model,
    String machine,
    String stator,
    String startedAt,
    int rounds,
    String comparedWith,
    List<Contestant> contestants,
    List<Figure> figures,
    List<ContextCost> contextCosts) {
  public EngineBenchReport {
    contestants = List.copyOf(contestants);
    figures = List.copyOf(figures);
    contextCosts = List.copyOf(contextCosts);
  }

  /** Who took part, with so many threads. */
  public record Contestant(String name, int threads, String description) {}

  /**
   * One case by one contender.
   *
   * @param tokensPerSecond median over rounds; {@code null} when it was not measured
   * @param ratio of each round's own tokens a second to those of the one compared with, median;
   *     {@code null} without one
   */
  public record Figure(
      String what, int threads, String name, Double tokensPerSecond, Range ratio) {}

  /**
   * How many times as long a token takes with the longest context than with the shortest.
   *
   * @param times {@code null} when it was not measured
   */
  public record ContextCost(int context, int than, int threads, String name, Range times) {}

  /** Median, least and most over rounds. */
  public record Range(double median, double low, double high) {}
}
