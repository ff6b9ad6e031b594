package dev.stator.planner;

import static dev.stator.planner.Situations.DECODE;
import static dev.stator.planner.Situations.PREFILL;
import static dev.stator.planner.Situations.id;
import static dev.stator.planner.Situations.load;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.stator.planner.PlannerDecision.Hold;
import dev.stator.planner.PlannerDecision.Move;
import dev.stator.protocol.LogCounts;
import dev.stator.protocol.StepSums;
import dev.stator.protocol.TrafficReport;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PlannerCoreTest {
  private static final String QUICK =
      "confirmations = 1, cooldown = 0, moves-at-once-max = 1, interval = 5s, move-timeout = 10s";

  @Test
  void shouldStartNoOtherMoveWhileOneIsUnderWay() {
    final PlannerCore core = core(QUICK);
    prompts(core);
    assertInstanceOf(Move.class, core.endInterval().getFirst());
    assertEquals(1, core.underWay().size());
    assertInstanceOf(Hold.class, core.endInterval().getFirst());
    core.underWay().forEach(core::taken);
    assertInstanceOf(Move.class, core.endInterval().getFirst());
  }

  @Test
  void shouldGiveAMoveUpWhenTheWorkerNeverAnswers() {
    final PlannerCore core = core(QUICK);
    prompts(core);
    assertInstanceOf(Move.class, core.endInterval().getFirst());
    assertInstanceOf(Hold.class, core.endInterval().getFirst());
    assertInstanceOf(Move.class, core.endInterval().getFirst(), "10s have passed");
  }

  @Test
  void shouldForgetAMoveWhenTheWorkerIsGone() {
    final PlannerCore core = core(QUICK);
    prompts(core);
    core.endInterval();
    final var gone = core.underWay().iterator().next();
    core.gone(gone);
    assertTrue(core.underWay().isEmpty());
    final Move next = (Move) core.endInterval().getFirst();
    assertFalse(next.worker().equals(gone));
  }

  @Test
  void shouldMoveNothingWhenDry() {
    final PlannerCore core = core(QUICK + ", dry-run = on");
    prompts(core);
    assertInstanceOf(Move.class, core.endInterval().getFirst());
    assertTrue(core.underWay().isEmpty());
  }

  @Test
  void shouldKnowLoadAndSpeedFromReportsAndAgainAfterARestart() {
    final String settings = QUICK + ", forecast-intervals-min = 2";
    final PlannerCore first = core(settings);
    int interval = 0;
    for (; interval < 4; interval++) measure(first, interval);
    final PlannerDecision told = measure(first, interval);
    assertEquals(20, told.figures().sequencesPerSecond().orElseThrow(), 1e-6);
    assertEquals(500, told.figures().promptLength().orElseThrow(), 1e-6);
    assertEquals(50, told.figures().answerLength().orElseThrow(), 1e-6);
    assertTrue(told.figures().goodputNow().isPresent(), told::reason);

    final PlannerCore second = core(settings);
    assertTrue(measure(second, interval).figures().sequencesPerSecond().isEmpty(), "a baseline");
    for (int i = 1; i <= 2; i++) measure(second, interval + i);
    final PlannerDecision again = measure(second, interval + 3);
    assertEquals(20, again.figures().sequencesPerSecond().orElseThrow(), 1e-6);
    assertTrue(again.figures().goodputNow().isPresent(), again::reason);
  }

  @Test
  void shouldCountAFrontendAnewWhenItsTotalsFall() {
    final PlannerCore core = core(QUICK + ", forecast-intervals-min = 1, forecast-alpha = 1");
    core.asked(totals("a", 1000));
    core.endInterval();
    core.asked(totals("a", 50));
    assertEquals(10, core.endInterval().getFirst().figures().sequencesPerSecond().orElseThrow());
  }

  /** Totals after some intervals of 20 sequences a second, 500 prompt and 50 answer tokens each. */
  private static PlannerDecision measure(PlannerCore core, int interval) {
    core.reported(id("p"), PREFILL, load(0, 0, 0));
    core.reported(id("d"), DECODE, load(10, 0, 500));
    core.worked(id("p"), StepSums.of(1000, 0, 10, 0.04).times(50.0 * interval));
    StepSums decodes = StepSums.NONE;
    for (int i = 0; i < 10; i++)
      decodes = decodes.plus(StepSums.of(0, 5 + i, 100 * i, 0.01 + i / 1e4));
    core.worked(id("d"), decodes.times(20.0 * interval));
    core.asked(totals("a", 100L * interval));
    return core.endInterval().getFirst();
  }

  private static TrafficReport totals(String source, long sequences) {
    return new TrafficReport(
        source,
        sequences,
        sequences,
        500 * sequences,
        50 * sequences,
        50 * sequences,
        sequences,
        LogCounts.NONE,
        LogCounts.NONE,
        LogCounts.NONE);
  }

  private static void prompts(PlannerCore core) {
    core.reported(id("p"), PREFILL, load(0, 10_000, 0));
    for (String slot : Set.of("d1", "d2", "d3", "d4")) {
      core.reported(id(slot), DECODE, load(0, 0, 0));
    }
  }

  private static PlannerCore core(String settings) {
    return new PlannerCore(
        PlannerSettings.from(
            ConfigFactory.parseString(settings)
                .withFallback(ConfigFactory.load().getConfig("stator.planner"))));
  }
}
