package dev.stator.cli.bench;

import dev.stator.cli.Quantities;
import java.util.Locale;
import java.util.Map;

/** The report for a terminal. */
public final class TableReport {
  private final StringBuilder text = new StringBuilder();

  private TableReport() {}

  /** Some twenty lines of at most 100 columns. */
  public static String format(BenchReport report) {
    final TableReport table = new TableReport();
    table.appendRun(report.run());
    table.appendThroughput(report);
    table.appendLatencies(report);
    table.appendFailures(report.counts());
    return table.text.toString();
  }

  private void appendRun(BenchReport.Run run) {
    line("%s at %s", run.model(), run.target());
    for (Map.Entry<String, String> setting : run.settings().entrySet()) {
      line("  %-16s%s", setting.getKey(), setting.getValue());
    }
    line("");
  }

  private void appendThroughput(BenchReport report) {
    final BenchReport.Counts counts = report.counts();
    line(
        "  %-16s%,d succeeded, %,d failed, in %.2f s",
        "requests", counts.succeeded(), counts.failed(), report.seconds());
    if (counts.tokensCountedByServer()) {
      line(
          "  %-16s%,d input (%,d of them cached), %,d output",
          "tokens", counts.inputTokens(), counts.cachedTokens(), counts.outputTokens());
    } else {
      line("  %-16s%,d output; the server does not count: chunks", "tokens", counts.outputTokens());
    }
    line(
        "  %-16s%.2f requests/s, %.1f output tokens/s, %.1f tokens/s in all",
        "throughput",
        report.throughput().requestsPerSecond(),
        report.throughput().outputTokensPerSecond(),
        report.throughput().totalTokensPerSecond());
    if (report.goodput() != null) {
      line(
          "  %-16s%.2f requests/s, %.1f %% of all (%s)",
          "goodput",
          report.goodput().requestsPerSecond(),
          100 * report.goodput().share(),
          report.goodput().targets());
    }
    if (counts.sendDelayMaxMs() > 10) {
      line("  %-16sup to %.0f ms; latencies count it", "sent late", counts.sendDelayMaxMs());
    }
    line("");
  }

  private void appendLatencies(BenchReport report) {
    line("  %-22s%10s%10s%10s%10s%10s%10s", "ms", "mean", "p50", "p90", "p95", "p99", "max");
    appendLatency("time to first token", report.ttftMs());
    appendLatency("inter-token latency", report.itlMs());
    appendLatency("time per output token", report.tokenIntervalMs());
    appendLatency("end to end", report.endToEndMs());
  }

  private void appendLatency(String name, Distribution latency) {
    if (latency.count() == 0) {
      line("  %-22s%10s", name, "none");
      return;
    }
    line(
        "  %-22s%10s%10s%10s%10s%10s%10s",
        name,
        ms(latency.mean()),
        ms(latency.p50()),
        ms(latency.p90()),
        ms(latency.p95()),
        ms(latency.p99()),
        ms(latency.max()));
  }

  private void appendFailures(BenchReport.Counts counts) {
    if (counts.failed() == 0) return;
    line("");
    line(
        "  %s of %s requests failed:",
        Quantities.grouped(counts.failed()), Quantities.grouped(counts.sent()));
    counts
        .failures()
        .forEach((kind, count) -> line("  %,8d  %s", count, counts.examples().get(kind)));
  }

  private static String ms(double ms) {
    return String.format(Locale.ROOT, ms < 10 ? "%.3f" : ms < 1000 ? "%.1f" : "%.0f", ms);
  }

  private void line(String format, Object... arguments) {
    text.append(String.format(Locale.ROOT, format, arguments)).append('\n');
  }
}
