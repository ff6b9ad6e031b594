package dev.stator.cli.planner;

import dev.stator.cli.Durations;
import dev.stator.cli.UsageException;
import dev.stator.cli.bench.GoodputTargets;
import dev.stator.simulation.Workload.Phase;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The load, and what counts as good.
 *
 * @param slots in the pool; the planner begins with half of them for prefill
 * @param phases of the load, one after the other, over and over
 * @param duration of the load
 * @param targets TTFT and ITL
 * @param rounds each with arrivals and sizes of its own
 * @param seed of the first round; each further one has the next
 */
public record PlannerBenchSettings(
    int slots,
    List<Phase> phases,
    Duration duration,
    GoodputTargets targets,
    int rounds,
    long seed) {
  private static final int SLOTS_MAX = 64;
  private static final int ROUNDS_MAX = 1000;

  /**
   * @throws UsageException when a number is outside its range
   */
  public PlannerBenchSettings {
    phases = List.copyOf(phases);
    require(slots >= 2 && slots <= SLOTS_MAX, "--slots must be between 2 and 64: " + slots);
    require(rounds > 0 && rounds <= ROUNDS_MAX, "--rounds must be between 1 and 1000: " + rounds);
    require(
        targets.ttft() != null && targets.itl() != null && targets.endToEnd() == null,
        "--goodput wants ttft and itl here, such as ttft=2s,itl=30ms");
  }

  /**
   * A phase from {@code 40s:12:700:30}: how long, requests a second, mean prompt tokens, mean
   * answer tokens.
   *
   * @throws UsageException when {@code text} is not that
   */
  public static Phase phase(String text) {
    final String[] parts = text.strip().split(":", -1);
    if (parts.length != 4) throw wrongPhase(text);
    final Duration length = Durations.parse("--phase", parts[0]);
    return new Phase(
        length.toNanos() / 1e9,
        positive(parts[1], text),
        positive(parts[2], text),
        positive(parts[3], text));
  }

  private static double positive(String number, String text) {
    try {
      final double value = Double.parseDouble(number);
      if (value > 0 && value <= 1e6) return value;
    } catch (NumberFormatException wrong) {
      // Falls through to the same answer.
    }
    throw wrongPhase(text);
  }

  private static UsageException wrongPhase(String text) {
    return new UsageException(
        "--phase wants TIME:REQUESTS_PER_SECOND:PROMPT_TOKENS:ANSWER_TOKENS, such as 40s:12:700:30:"
            + " '"
            + text
            + "'");
  }

  /** What the planner plans for, by configuration key. */
  public Map<String, String> plannerTargets() {
    return Map.of(
        "stator.planner.ttft-target", targets.ttft().toNanos() + "ns",
        "stator.planner.itl-target", targets.itl().toNanos() + "ns");
  }

  double seconds() {
    return duration.toNanos() / 1e9;
  }

  private String describePhases() {
    return phases.stream()
        .map(phase ->
            String.format(
                Locale.ROOT,
                "%.4g s of %.4g requests/s, %.0f + %.0f tokens",
                phase.seconds(),
                phase.perSecond(),
                phase.promptMean(),
                phase.answerMean()))
        .collect(Collectors.joining("; "));
  }

  /** The report of a run with these settings. */
  public PlannerBenchReport report(
      boolean real,
      String machine,
      String stator,
      String startedAt,
      List<PlannerBenchReport.Round> measured) {
    return new PlannerBenchReport(
        real,
        machine,
        stator,
        startedAt,
        slots,
        targets.toString(),
        describePhases(),
        seconds(),
        measured);
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) throw new UsageException(otherwise);
  }
}
