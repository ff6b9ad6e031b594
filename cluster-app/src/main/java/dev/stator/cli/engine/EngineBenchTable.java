package dev.stator.cli.engine;

import java.util.Locale;

/** The report for a terminal. */
public final class EngineBenchTable {
  private static final String NOT_MEASURED = "not measured";

  private EngineBenchTable() {}

  /** Who took part, then a line for each case and contender; at most 100 columns but for names. */
  public static String format(EngineBenchReport report) {
    final StringBuilder text = new StringBuilder();
    line(text, "%s, %d rounds, medians", report.model(), report.rounds());
    line(text, "%s", report.machine());
    for (EngineBenchReport.Contestant each : report.contestants()) {
      line(text, "  %-10s %s", each.name(), each.description());
    }
    line(text, "");
    line(
        text,
        "  %-18s %7s  %-10s %12s   %s",
        "what",
        "threads",
        "kernels",
        "tokens/s",
        report.comparedWith() == null ? "" : "/ " + report.comparedWith() + " (worst..best round)");
    for (EngineBenchReport.Figure each : report.figures()) {
      final String speed =
          each.tokensPerSecond() == null
              ? NOT_MEASURED
              : String.format(Locale.ROOT, "%.1f", each.tokensPerSecond());
      line(
          text,
          "  %-18s %7d  %-10s %12s   %s",
          each.what(),
          each.threads(),
          each.name(),
          speed,
          each.ratio() == null ? "" : range(each.ratio()));
    }
    if (!report.contextCosts().isEmpty()) line(text, "");
    for (EngineBenchReport.ContextCost each : report.contextCosts()) {
      line(
          text,
          "  a token at %d takes the time of one at %d, threads %d, %-10s %s",
          each.context(),
          each.than(),
          each.threads(),
          each.name(),
          each.times() == null ? NOT_MEASURED : range(each.times()));
    }
    return text.toString();
  }

  private static String range(EngineBenchReport.Range range) {
    return String.format(
        Locale.ROOT, "%.2fx (%.2f..%.2f)", range.median(), range.low(), range.high());
  }

  private static void line(StringBuilder text, String format, Object... values) {
    text.append(String.format(Locale.ROOT, format, values).stripTrailing()).append('\n');
  }
}
