package dev.stator.request;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stator.protocol.TrafficReport;
import org.junit.jupiter.api.Test;

class TrafficMeterTest {
  private static final long MS = 1_000_000;
  private static final long YOUNG_MS = TrafficReport.YOUNG.toMillis();

  private final TrafficMeter meter = new TrafficMeter();

  @Test
  void shouldMeasureTheFirstTokenFromTheStartAndOthersFromTheOneBefore() {
    meter.started("a", 100, 1, 0);
    meter.tokens("a", 0, 1, 200 * MS);
    meter.tokens("a", 0, 4, 240 * MS);
    meter.ended("a", 240 * MS);
    final TrafficReport report = meter.report("hub");
    assertEquals(1, report.sequences());
    assertEquals(1, report.ended());
    assertEquals(100, report.promptTokens());
    assertEquals(5, report.answerTokens());
    assertEquals(1, report.ttftMicros().total());
    assertEquals(200_000, report.ttftMicros().mean(), 25_000);
    assertEquals(4, report.itlMicros().total());
    assertEquals(10_000, report.itlMicros().mean(), 1_250);
  }

  @Test
  void shouldCountEachChoiceButTheFirstTokenOfTheCallOnce() {
    meter.started("a", 10, 3, 0);
    for (int choice = 0; choice < 3; choice++) meter.tokens("a", choice, 1, 10 * MS);
    meter.ended("a", 20 * MS);
    final TrafficReport report = meter.report("hub");
    assertEquals(3, report.sequences());
    assertEquals(3, report.ended());
    assertEquals(10, report.promptTokens());
    assertEquals(1, report.ttftMicros().total());
  }

  @Test
  void shouldTellTheYoungApart() {
    meter.started("old", 10, 1, 0);
    meter.started("young", 10, 1, 0);
    meter.tokens("old", 0, 1, 0);
    meter.tokens("young", 0, 1, YOUNG_MS * MS);
    meter.tokens("old", 0, 5, (YOUNG_MS + 1) * MS);
    meter.tokens("young", 0, 7, (YOUNG_MS + 1) * MS);
    meter.ended("old", (YOUNG_MS + 1) * MS);
    meter.ended("young", (YOUNG_MS + 1) * MS);
    final TrafficReport report = meter.report("hub");
    assertEquals(14, report.answerTokens());
    assertEquals(9, report.youngAnswerTokens());
    assertEquals(2, report.ended());
    assertEquals(1, report.youngEnded());
  }

  @Test
  void shouldIgnoreUnknownCalls() {
    meter.tokens("gone", 0, 1, 0);
    meter.ended("gone", 0);
    assertEquals(TrafficReport.none("hub"), meter.report("hub"));
  }
}
