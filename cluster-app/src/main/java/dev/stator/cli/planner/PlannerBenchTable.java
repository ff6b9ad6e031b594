package dev.stator.cli.planner;

import dev.stator.cli.bench.Spread;
import dev.stator.simulation.PlannerStudy.Row;
import java.util.Locale;
import java.util.stream.Collectors;

/** The report for a terminal. */
public final class PlannerBenchTable {
  private PlannerBenchTable() {}

  /** A table a round, then the ratio over all rounds; at most 100 columns. */
  public static String format(PlannerBenchReport report) {
    final StringBuilder text = new StringBuilder();
    line(
        text,
        "%s: %d slots, %.0f s of load; goodput: requests/s with %s",
        report.real() ? "measured" : "simulated",
        report.slots(),
        report.loadSeconds(),
        report.targets());
    line(text, "%s", report.load());
    if (report.real()) line(text, "%s", report.machine());
    for (PlannerBenchReport.Round round : report.rounds()) appendRound(text, round);
    if (report.rounds().size() > 1) appendRatios(text, report);
    return text.toString();
  }

  private static void appendRound(StringBuilder text, PlannerBenchReport.Round round) {
    line(text, "");
    line(
        text,
        "%-10s %9s %8s %10s %9s %7s   %s",
        "split",
        "goodput",
        "of all",
        "TTFT met",
        "ITL met",
        "moves",
        "good of each phase");
    for (Row row : round.fixed()) appendRow(text, row);
    appendRow(text, round.planned());
    line(
        text,
        "planner / best fixed (%s): %.3f   (seed %d, %d requests)",
        round.bestFixed(),
        round.advantage(),
        round.seed(),
        round.requests());
  }

  private static void appendRow(StringBuilder text, Row row) {
    line(
        text,
        "%-10s %9.2f %7.1f%% %9.1f%% %8.1f%% %7d   %s",
        row.split(),
        row.goodput(),
        100 * row.share(),
        100 * row.ttftMet(),
        100 * row.itlMet(),
        row.moves(),
        row.phasesMet().stream()
            .map(share -> String.format(Locale.ROOT, "%.0f%%", 100 * share))
            .collect(Collectors.joining(" / ")));
  }

  private static void appendRatios(StringBuilder text, PlannerBenchReport report) {
    final Spread ratios =
        Spread.of(
            report.rounds().stream().mapToDouble(PlannerBenchReport.Round::advantage).toArray());
    line(text, "");
    line(
        text,
        "planner / best fixed of each round, %d rounds: median %.3f (%.3f..%.3f)",
        report.rounds().size(),
        ratios.median(),
        ratios.low(),
        ratios.high());
  }

  private static void line(StringBuilder text, String format, Object... values) {
    text.append(String.format(Locale.ROOT, format, values).stripTrailing()).append('\n');
  }
}
