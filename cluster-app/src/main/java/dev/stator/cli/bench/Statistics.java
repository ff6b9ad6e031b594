package dev.stator.cli.bench;

import dev.stator.cli.client.EndpointException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.HdrHistogram.Histogram;

/** Turns results into a report. */
final class Statistics {
  private Statistics() {}

  static BenchReport report(
      BenchReport.Run run, List<RequestResult> results, GoodputTargets targets) {
    final double seconds =
        results.stream().mapToLong(result -> result.response().endNs()).max().orElse(0) / 1e9;
    final List<RequestResult> succeeded = results.stream().filter(RequestResult::isOk).toList();
    final BenchReport.Counts counts = counts(results, succeeded);
    return new BenchReport(
        run,
        seconds,
        counts,
        throughput(counts, seconds),
        goodput(results, targets, seconds),
        ttft(succeeded),
        interTokenLatency(succeeded),
        tokenInterval(succeeded),
        endToEnd(succeeded),
        Timeline.of(results, seconds),
        results.stream().map(Statistics::point).toList());
  }

  private static BenchReport.Counts counts(
      List<RequestResult> results, List<RequestResult> succeeded) {
    final Map<String, Integer> failures = new TreeMap<>();
    final Map<String, String> examples = new TreeMap<>();
    for (RequestResult result : results) {
      if (result.isOk()) continue;
      final EndpointException failure = result.response().failure();
      failures.merge(failure.kind(), 1, Integer::sum);
      examples.putIfAbsent(failure.kind(), failure.getMessage());
    }
    long inputTokens = 0;
    long cachedTokens = 0;
    long outputTokens = 0;
    long chunks = 0;
    boolean counted = true;
    for (RequestResult result : succeeded) {
      outputTokens += result.outputTokens();
      chunks += result.response().chunkNs().length;
      counted &= result.response().usage() != null;
      if (result.response().usage() == null) continue;
      inputTokens += result.response().usage().promptTokens();
      cachedTokens += result.response().usage().cachedTokens();
    }
    return new BenchReport.Counts(
        results.size(),
        succeeded.size(),
        results.size() - succeeded.size(),
        failures,
        examples,
        inputTokens,
        cachedTokens,
        outputTokens,
        chunks,
        sendDelayMaxMs(results),
        counted);
  }

  private static double sendDelayMaxMs(List<RequestResult> results) {
    return results.stream()
            .mapToLong(result -> result.sentNs() - result.intendedNs())
            .max()
            .orElse(0)
        / 1e6;
  }

  private static BenchReport.Throughput throughput(BenchReport.Counts counts, double seconds) {
    return new BenchReport.Throughput(
        rate(counts.succeeded(), seconds),
        rate(counts.outputTokens(), seconds),
        rate(counts.inputTokens(), seconds),
        rate(counts.inputTokens() + counts.outputTokens(), seconds));
  }

  private static BenchReport.Goodput goodput(
      List<RequestResult> results, GoodputTargets targets, double seconds) {
    if (targets.isEmpty()) return null;
    final long good = results.stream().filter(targets::areMetBy).count();
    return new BenchReport.Goodput(
        targets.toString(), rate(good, seconds), rate(good, results.size()));
  }

  private static Distribution ttft(List<RequestResult> succeeded) {
    final Histogram collector = Distribution.collector();
    for (RequestResult result : succeeded) {
      if (result.hasTokens()) Distribution.record(collector, result.ttftNs());
    }
    return Distribution.of(collector);
  }

  private static Distribution interTokenLatency(List<RequestResult> succeeded) {
    final Histogram collector = Distribution.collector();
    for (RequestResult result : succeeded) {
      final long[] chunkNs = result.response().chunkNs();
      for (int i = 1; i < chunkNs.length; i++) {
        Distribution.record(collector, chunkNs[i] - chunkNs[i - 1]);
      }
    }
    return Distribution.of(collector);
  }

  private static Distribution tokenInterval(List<RequestResult> succeeded) {
    final Histogram collector = Distribution.collector();
    for (RequestResult result : succeeded) {
      if (result.hasTokens() && result.outputTokens() > 1) {
        Distribution.record(collector, result.tokenIntervalNs());
      }
    }
    return Distribution.of(collector);
  }

  private static Distribution endToEnd(List<RequestResult> succeeded) {
    final Histogram collector = Distribution.collector();
    for (RequestResult result : succeeded) Distribution.record(collector, result.endToEndNs());
    return Distribution.of(collector);
  }

  private static BenchReport.RequestPoint point(RequestResult result) {
    final boolean ok = result.isOk();
    return new BenchReport.RequestPoint(
        result.index(),
        result.intendedNs() / 1e9,
        ok && result.hasTokens() ? result.ttftNs() / 1e6 : null,
        ok ? result.endToEndNs() / 1e6 : null,
        result.response().usage() == null ? 0 : result.response().usage().promptTokens(),
        result.outputTokens(),
        ok ? null : result.response().failure().kind());
  }

  private static double rate(double count, double per) {
    return per > 0 ? count / per : 0;
  }
}
