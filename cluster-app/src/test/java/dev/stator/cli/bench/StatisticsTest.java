package dev.stator.cli.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.cli.client.EndpointException;
import dev.stator.cli.client.Usage;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

class StatisticsTest {
  private static final BenchReport.Run RUN =
      new BenchReport.Run("http://host", "model", "now", "machine", "stator", Map.of());
  private static final double TOLERANCE = 0.002; // Three significant digits.

  /** Due at 100 ms, sent at 150, tokens at 300, 340, 400. */
  private static final RequestResult GOOD =
      result(0, 100, 150, new Usage(50, 3, 20), 300, 340, 400);

  /** Due and sent at 0, tokens at 1000 and 1500. */
  private static final RequestResult SLOW = result(1, 0, 0, new Usage(30, 2, 0), 1000, 1500);

  private static final RequestResult FAILED =
      new RequestResult(
          2,
          ns(500),
          ns(500),
          new Response(new long[0], ns(2000), null, new EndpointException("HTTP 503", "busy")));

  @Test
  void shouldCountLatenciesFromTheIntendedTime() {
    final BenchReport report = report(GOOD);
    assertMs(200, report.ttftMs().p50());
    assertMs(300, report.endToEndMs().max());
    assertMs(50, report.tokenIntervalMs().mean());
    assertMs(60, report.itlMs().max());
    assertEquals(2, report.itlMs().count());
    assertEquals(50, report.counts().sendDelayMaxMs());
  }

  @Test
  void shouldSumTokensOfRequestsThatSucceeded() {
    final BenchReport report = report(GOOD, SLOW, FAILED);
    assertEquals(2.0, report.seconds());
    assertEquals(80, report.counts().inputTokens());
    assertEquals(20, report.counts().cachedTokens());
    assertEquals(5, report.counts().outputTokens());
    assertEquals(2.5, report.throughput().outputTokensPerSecond());
    assertEquals(1.0, report.throughput().requestsPerSecond());
  }

  @Test
  void shouldCountFailuresByKindAndKeepThemOutOfTheLatencies() {
    final BenchReport report = report(GOOD, SLOW, FAILED);
    assertEquals(Map.of("HTTP 503", 1), report.counts().failures());
    assertEquals(Map.of("HTTP 503", "HTTP 503: busy"), report.counts().examples());
    assertEquals(2, report.ttftMs().count());
    assertTrue(TableReport.format(report).contains("1 of 3 requests failed"));
  }

  @Test
  void shouldMeasureGoodputOverAllRequestsSent() {
    final GoodputTargets targets =
        new GoodputTargets(Duration.ofMillis(250), Duration.ofMillis(50), null);
    final BenchReport.Goodput goodput =
        Statistics.report(RUN, List.of(GOOD, SLOW, FAILED), targets).goodput();
    assertEquals(1 / 3.0, goodput.share(), 1e-9);
    assertEquals(0.5, goodput.requestsPerSecond());
    assertNull(report(GOOD).goodput());
  }

  @Test
  void shouldSayWhenTheServerDoesNotCount() {
    final BenchReport report = report(result(0, 0, 0, null, 10, 20));
    assertEquals(2, report.counts().outputTokens());
    assertFalse(report.counts().tokensCountedByServer());
    assertTrue(TableReport.format(report).contains("does not count"));
  }

  @Test
  void shouldReportARunWithoutAnyAnswer() {
    final BenchReport report = report(FAILED);
    assertEquals(0, report.ttftMs().count());
    assertTrue(TableReport.format(report).contains("none"));
  }

  @Test
  void shouldPutEveryValueIntoOneBucket() {
    final Histogram collector = Distribution.collector();
    for (int i = 1; i <= 1000; i++) Distribution.record(collector, ns(i));
    final Distribution distribution = Distribution.of(collector);
    assertEquals(1000, distribution.buckets().stream().mapToLong(Distribution.Bucket::count).sum());
    assertMs(990, distribution.p99());
    assertMs(1000, distribution.curve().getLast().ms());
  }

  @Test
  void shouldSpreadTokensAndBusyTimeOverTheTimeline() {
    final Timeline timeline = Timeline.of(List.of(SLOW), 1.5);
    assertEquals(0.1, timeline.widthSeconds());
    final List<Timeline.Slice> slices = timeline.slices();
    assertEquals(10, slices.get(10).outputTokensPerSecond(), 1e-6);
    assertEquals(0, slices.get(9).outputTokensPerSecond(), 1e-6);
    assertEquals(1, slices.get(5).inFlight(), 1e-6);
    assertEquals(10, slices.get(14).requestsPerSecond(), 1e-6);
  }

  private static BenchReport report(RequestResult... results) {
    return Statistics.report(RUN, List.of(results), GoodputTargets.NONE);
  }

  private static RequestResult result(
      int index, long intendedMs, long sentMs, Usage usage, long... chunkMs) {
    final long[] chunkNs = new long[chunkMs.length];
    for (int i = 0; i < chunkMs.length; i++) chunkNs[i] = ns(chunkMs[i]);
    return new RequestResult(
        index,
        ns(intendedMs),
        ns(sentMs),
        new Response(chunkNs, chunkNs[chunkNs.length - 1], usage, null));
  }

  private static long ns(long ms) {
    return ms * 1_000_000;
  }

  private static void assertMs(double expected, double actual) {
    assertEquals(expected, actual, expected * TOLERANCE);
  }
}
