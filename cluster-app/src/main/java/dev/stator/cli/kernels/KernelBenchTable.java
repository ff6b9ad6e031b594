package dev.stator.cli.kernels;

import java.util.Locale;

/** The report for a terminal. */
public final class KernelBenchTable {
  private KernelBenchTable() {}

  /** A line for each type, number of tokens and family; at most 100 columns. */
  public static String format(KernelBenchReport report) {
    final StringBuilder text = new StringBuilder();
    line(
        text,
        "%d x %d, threads: %d, %d rounds, medians",
        report.rows(),
        report.columns(),
        report.threads(),
        report.rounds());
    line(text, "%s", report.machine());
    line(text, "");
    line(
        text,
        "  %-6s %6s  %-22s %6s %8s %9s   %s",
        "type",
        "tokens",
        "kernels",
        "bits",
        "GB/s",
        "GFLOP/s",
        "/ plain read (worst..best)");
    for (KernelBenchReport.Figure each : report.figures()) {
      line(
          text,
          "  %-6s %6d  %-22s %6.1f %8.2f %9.1f   %.3fx (%.3f..%.3f)",
          each.type(),
          each.tokens(),
          each.family(),
          8.0 * each.packedBytes() / ((double) report.rows() * report.columns()),
          each.gigabytesPerSecond(),
          each.gigaflopsPerSecond(),
          each.ofRead(),
          each.ofReadLow(),
          each.ofReadHigh());
    }
    return text.toString();
  }

  private static void line(StringBuilder text, String format, Object... values) {
    text.append(String.format(Locale.ROOT, format, values).stripTrailing()).append('\n');
  }
}
