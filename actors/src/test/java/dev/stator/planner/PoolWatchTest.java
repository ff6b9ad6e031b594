package dev.stator.planner;

import static dev.stator.planner.Situations.DECODE;
import static dev.stator.planner.Situations.PREFILL;
import static dev.stator.planner.Situations.id;
import static dev.stator.planner.Situations.load;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.typesafe.config.ConfigFactory;
import dev.stator.protocol.StepSums;
import org.junit.jupiter.api.Test;

class PoolWatchTest {
  private static final PlannerSettings SETTINGS =
      PlannerSettings.from(ConfigFactory.load().getConfig("stator.planner"));
  private static final int STEPS_IN_INTERVAL = 20;

  private final PoolWatch watch = new PoolWatch(SETTINGS);
  private StepSums prefills = StepSums.NONE;
  private StepSums decodes = StepSums.NONE;

  @Test
  void shouldForgetWithinMinutesHowSlowSlotsWereWhenTheyWereCold() {
    for (int i = 0; i < 10; i++) interval(20);
    assertEquals(10_000 / 20.0, speed(), 50);
    for (int i = 0; i < 30; i++) interval(1);
    assertEquals(10_000, speed(), 1_000);
  }

  @Test
  void shouldKeepWhatItKnowsWhileSlotsAreIdle() {
    for (int i = 0; i < 3; i++) interval(1);
    for (int i = 0; i < 100; i++) watch.endInterval();
    assertEquals(10_000, speed(), 200);
  }

  private double speed() {
    return watch.endInterval().stepTime().orElseThrow().prefillTokensPerSecond();
  }

  /** Steps of 500 prompt tokens in 50 ms, and of some sequences in 5 ms and more. */
  private void interval(double slowdown) {
    for (int i = 0; i < STEPS_IN_INTERVAL; i++) {
      prefills = prefills.plus(StepSums.of(400 + 10 * i, 0, 10, slowdown * (40 + i) / 1e3));
      decodes = decodes.plus(StepSums.of(0, 1 + i, 10 * i, slowdown * (5 + i / 10.0) / 1e3));
    }
    watch.reported(id("p"), PREFILL, load(0, 0, 0));
    watch.reported(id("d"), DECODE, load(0, 0, 0));
    watch.worked(id("p"), prefills);
    watch.worked(id("d"), decodes);
    watch.endInterval();
  }
}
