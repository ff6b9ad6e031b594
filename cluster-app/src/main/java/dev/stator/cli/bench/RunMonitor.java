package dev.stator.cli.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * Collects the results of a run and knows how far it is. Event loop only, until the run has ended.
 */
final class RunMonitor {
  private final BenchSettings settings;
  private final OptionalInt total;
  private final List<RequestResult> results = new ArrayList<>();
  private int failed;
  private long outputTokens;

  RunMonitor(BenchSettings settings, OptionalInt total) {
    this.settings = settings;
    this.total = total;
  }

  void add(RequestResult result) {
    results.add(result);
    if (result.isOk()) {
      outputTokens += result.outputTokens();
    } else {
      failed++;
    }
  }

  List<RequestResult> results() {
    return results;
  }

  Progress progress(long nowNs, int inFlight) {
    final double byTime = (double) nowNs / settings.durationNs();
    final double byCount =
        total.isPresent() ? (double) results.size() / Math.max(1, total.getAsInt()) : 0;
    final double share = settings.isOpenLoop() ? byCount : Math.max(byTime, byCount);
    return new Progress(
        share, nowNs / 1e9, results.size(), total.orElse(0), inFlight, failed, outputTokens);
  }
}
