package dev.stator.cli.transfer;

import dev.stator.cli.Quantities;
import java.util.Locale;

/** The report for a terminal. */
public final class TransferTable {
  private TransferTable() {}

  /** Some thirty lines of at most 100 columns. */
  public static String format(TransferReport report) {
    final StringBuilder text = new StringBuilder();
    line(text, "%s each way and round, %d rounds, medians", bytes(report), report.rounds());
    line(text, "%s", report.machine());
    line(text, "");
    line(
        text,
        "  %-10s %-12s %9s %8s   %s",
        "blocks",
        "way",
        "processes",
        "GB/s",
        "ratio (worst..best round)");
    for (TransferReport.Throughput each : report.throughput()) {
      line(
          text,
          "  %-10s %-12s %9d %8.2f   %s",
          Quantities.bytes(each.blockBytes()),
          each.way(),
          each.processes(),
          each.gigabytesPerSecond(),
          ratio(each));
    }
    if (!report.latency().isEmpty()) {
      line(text, "");
      line(text, "  one block, acknowledged %12s %10s", "p50", "p99");
    }
    for (TransferReport.Latency each : report.latency()) {
      line(
          text,
          "  %-10s %-12s %9.1f us %7.1f us",
          Quantities.bytes(each.blockBytes()),
          each.way(),
          each.p50Us(),
          each.p99Us());
    }
    if (!report.idle().isEmpty()) line(text, "");
    for (TransferReport.Idle each : report.idle()) {
      line(
          text, "  %-10s idle: %.2f CPU seconds a minute", each.side(), each.cpuSecondsPerMinute());
    }
    return text.toString();
  }

  private static String bytes(TransferReport report) {
    return Quantities.bytes(report.bytes());
  }

  private static String ratio(TransferReport.Throughput each) {
    if (each.comparedWith() == null) return "";
    return String.format(
        Locale.ROOT,
        "%.2f x %s (%.2f..%.2f)",
        each.ratio(),
        each.comparedWith(),
        each.ratioLow(),
        each.ratioHigh());
  }

  private static void line(StringBuilder text, String format, Object... values) {
    text.append(String.format(Locale.ROOT, format, values).stripTrailing()).append('\n');
  }
}
