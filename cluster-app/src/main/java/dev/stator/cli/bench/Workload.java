package dev.stator.cli.bench;

import java.util.Iterator;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;

/** The requests of a run, made one by one as they are sent. */
final class Workload {
  private final Iterator<PlannedRequest> requests;
  private final OptionalInt count;

  private Workload(Iterator<PlannedRequest> requests, OptionalInt count) {
    this.requests = requests;
    this.count = count;
  }

  /**
   * @param nowNs ends a closed loop that runs for a time
   */
  static Workload of(BenchSettings settings, PromptGenerator prompts, LongSupplier nowNs) {
    if (settings.trace() != null) return trace(settings, prompts);
    return settings.isOpenLoop()
        ? openLoop(settings, prompts)
        : closedLoop(settings, prompts, nowNs);
  }

  /** Requests of given sizes at given times; no two prompts are equal. */
  static Workload schedule(List<TimedRequest> schedule, PromptGenerator prompts) {
    return new Workload(
        IntStream.range(0, schedule.size())
            .mapToObj(i -> timed(i, schedule.get(i), prompts))
            .iterator(),
        OptionalInt.of(schedule.size()));
  }

  private static PlannedRequest timed(int index, TimedRequest request, PromptGenerator prompts) {
    return new PlannedRequest(
        index,
        request.arrivalNs(),
        prompts.prompt(index, request.inputTokens(), 0),
        request.outputTokens());
  }

  /** Requests whose prompts the run does not repeat. */
  static Workload warmUp(BenchSettings settings, PromptGenerator prompts) {
    return new Workload(
        IntStream.rangeClosed(1, settings.warmUp())
            .mapToObj(i -> request(settings, prompts, -1 - i, 0))
            .iterator(),
        OptionalInt.of(settings.warmUp()));
  }

  Iterator<PlannedRequest> requests() {
    return requests;
  }

  /** How many there will be, where that is known. */
  OptionalInt count() {
    return count;
  }

  private static Workload closedLoop(
      BenchSettings settings, PromptGenerator prompts, LongSupplier nowNs) {
    final Iterator<PlannedRequest> requests =
        IntStream.range(0, settings.requestsMax())
            .takeWhile(_ -> nowNs.getAsLong() < settings.durationNs())
            .mapToObj(i -> request(settings, prompts, i, 0))
            .iterator();
    return new Workload(
        requests,
        settings.requests() == null ? OptionalInt.empty() : OptionalInt.of(settings.requests()));
  }

  private static Workload openLoop(BenchSettings settings, PromptGenerator prompts) {
    final long[] arrivals =
        Arrivals.poisson(
            settings.rate(), settings.durationNs(), settings.requestsMax(), settings.seed());
    return new Workload(
        IntStream.range(0, arrivals.length)
            .mapToObj(i -> request(settings, prompts, i, arrivals[i]))
            .iterator(),
        OptionalInt.of(arrivals.length));
  }

  private static PlannedRequest request(
      BenchSettings settings, PromptGenerator prompts, int index, long arrivalNs) {
    final String prompt =
        prompts.prompt(index, settings.inputTokens(), settings.sharedPrefixTokens());
    return new PlannedRequest(index, arrivalNs, prompt, settings.outputTokens());
  }

  private static Workload trace(BenchSettings settings, PromptGenerator prompts) {
    final List<Trace.Entry> entries =
        Trace.read(settings.trace(), settings.requestsMax()).stream()
            .takeWhile(entry -> entry.arrivalNs() / settings.traceSpeed() < settings.durationNs())
            .toList();
    return new Workload(
        IntStream.range(0, entries.size())
            .mapToObj(i -> traced(settings, prompts, i, entries.get(i)))
            .iterator(),
        OptionalInt.of(entries.size()));
  }

  private static PlannedRequest traced(
      BenchSettings settings, PromptGenerator prompts, int index, Trace.Entry entry) {
    final double scale = settings.traceScale();
    return new PlannedRequest(
        index,
        (long) (entry.arrivalNs() / settings.traceSpeed()),
        prompts.prompt(
            entry.blockIds(),
            scaled(entry.inputTokens(), scale),
            scaled(Trace.BLOCK_TOKENS, scale)),
        scaled(entry.outputTokens(), scale));
  }

  private static int scaled(int tokens, double scale) {
    return Math.max(1, (int) Math.round(tokens * scale));
  }
}
