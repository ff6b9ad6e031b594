package dev.stator.planner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.planner.LoadForecast.Load;
import dev.stator.protocol.LogCounts;
import dev.stator.protocol.TrafficReport;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class LoadForecastTest {
  private static final int HORIZON = 12;

  @Test
  void shouldBeExactWhenTheLoadIsConstant() {
    final LoadForecast forecast = new LoadForecast(0.5, 0.1, 0.8);
    for (int i = 0; i < 5; i++) forecast.observe(5, traffic(100, 100, 50_000, 20_000));
    final Load load = forecast.ahead(HORIZON).orElseThrow();
    assertEquals(20, load.sequencesPerSecond(), 1e-9);
    assertEquals(500, load.promptLength(), 1e-9);
    assertEquals(200, load.answerLength(), 1e-9);
  }

  @Test
  void shouldBeExactWhenTheLoadIsLinearAndUndamped() {
    final HoltSeries series = new HoltSeries(0.5, 0.3, 1);
    for (int i = 0; i <= 300; i++) series.observe(10 + 2.0 * i);
    final double meanOfNext = 10 + 2.0 * (300 + (HORIZON + 1) / 2.0);
    assertEquals(meanOfNext, series.mean(HORIZON), 1e-6);
  }

  @Test
  void shouldStayBetweenTheLevelAndTheLineWhenDamped() {
    final HoltSeries damped = new HoltSeries(0.5, 0.3, 0.8);
    for (int i = 0; i <= 300; i++) damped.observe(10 + 2.0 * i);
    assertTrue(damped.mean(HORIZON) > damped.level(), "some of the trend goes on");
    assertTrue(damped.mean(HORIZON) < 10 + 2.0 * (300 + HORIZON), "but not all of it");
  }

  @Test
  void shouldNeverTellNegativeOrUndefinedFigures() {
    for (int seed = 0; seed < 200; seed++) {
      final SplittableRandom random = new SplittableRandom(seed);
      final LoadForecast forecast =
          new LoadForecast(
              random.nextDouble(0.01, 1), random.nextDouble(), random.nextDouble(0.01, 1));
      for (int i = 0; i < 60; i++) {
        switch (random.nextInt(4)) {
          case 0 -> forecast.observe(5, TrafficReport.none("x"));
          case 1 -> forecast.miss();
          case 2 -> forecast.observe(5, traffic(1, 0, 100_000, 0)); // A burst of one long prompt.
          default -> {
            final int count = random.nextInt(1, 1000);
            forecast.observe(
                5, traffic(count, random.nextInt(1000), count * 10L, random.nextLong(100_000)));
          }
        }
        assertSound(forecast.ahead(1 + random.nextInt(20)), seed);
      }
    }
  }

  private static void assertSound(Optional<Load> told, int seed) {
    if (told.isEmpty()) return;
    final Load load = told.get();
    final String message = "seed " + seed + ": " + load;
    assertTrue(load.sequencesPerSecond() > 0, message);
    assertTrue(Double.isFinite(load.sequencesPerSecond()), message);
    assertTrue(load.promptLength() >= 1 && Double.isFinite(load.promptLength()), message);
    assertTrue(load.answerLength() >= 1 && Double.isFinite(load.answerLength()), message);
    assertTrue(load.answerLength() <= load.runningAnswerLength(), message);
  }

  @Test
  void shouldTellNothingBeforeTheFirstAndAfterSilence() {
    final LoadForecast forecast = new LoadForecast(1, 0, 1);
    assertTrue(forecast.ahead(1).isEmpty());
    forecast.miss();
    assertTrue(forecast.ahead(1).isEmpty());
    forecast.observe(5, traffic(10, 10, 100, 100));
    assertTrue(forecast.ahead(1).isPresent());
    forecast.observe(5, TrafficReport.none("x"));
    assertTrue(forecast.ahead(1).isEmpty());
  }

  @Test
  void shouldKeepWhatItKnowsWhenAnIntervalIsMissing() {
    final LoadForecast forecast = new LoadForecast(0.5, 0.1, 0.8);
    for (int i = 0; i < 5; i++) forecast.observe(5, traffic(100, 100, 50_000, 20_000));
    final Load before = forecast.ahead(HORIZON).orElseThrow();
    for (int i = 0; i < 5; i++) forecast.miss();
    assertEquals(before, forecast.ahead(HORIZON).orElseThrow());
  }

  @Test
  void shouldSeeLongerAnswersBeforeTheFirstOfThemEnds() {
    final LoadForecast forecast = new LoadForecast(0.5, 0.1, 0.8);
    for (int i = 0; i < 5; i++) forecast.observe(5, traffic(100, 100, 1000, 5_000));
    forecast.observe(5, traffic(100, 0, 1000, 20_000));
    assertTrue(forecast.ahead(1).orElseThrow().answerLength() > 150);
  }

  @Test
  void shouldSeeShorterAnswersWhileLongOnesGoOn() {
    final LoadForecast forecast = new LoadForecast(0.5, 0.1, 0.8);
    for (int i = 0; i < 5; i++) {
      forecast.observe(5, report(100, 100, 1000, 80_000, 15_000, 5));
    }
    for (int i = 0; i < 3; i++) {
      forecast.observe(5, report(100, 150, 1000, 60_000, 5_000, 95));
    }
    final Load load = forecast.ahead(1).orElseThrow();
    assertTrue(load.answerLength() < 100, load::toString);
    assertTrue(load.runningAnswerLength() > 400, load::toString);
  }

  private static TrafficReport traffic(long sequences, long ended, long prompt, long answer) {
    return report(sequences, ended, prompt, answer, answer, ended);
  }

  private static TrafficReport report(
      long sequences, long ended, long prompt, long answer, long youngAnswer, long youngEnded) {
    return new TrafficReport(
        "x",
        sequences,
        ended,
        prompt,
        answer,
        youngAnswer,
        youngEnded,
        LogCounts.NONE,
        LogCounts.NONE,
        LogCounts.NONE);
  }
}
