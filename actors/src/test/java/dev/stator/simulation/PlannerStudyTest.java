package dev.stator.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.stator.planner.PlannerSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Simulated; the bounds are what was measured on other seeds too, with room. */
class PlannerStudyTest {
  private static final Config STATOR = ConfigFactory.load().getConfig("stator");
  private static final PlannerStudy.Settings SETTINGS = PlannerStudy.Settings.swinging(STATOR);
  private static final Workload.Phase LONG_PROMPTS = SETTINGS.phases().getFirst();
  private static final Workload.Phase LONG_ANSWERS = SETTINGS.phases().getLast();
  private static final int MOVES_TO_SETTLE = 4; // From the even split to any other.

  @Test
  void shouldBeatEveryFixedSplitWhenTheLoadSwings() {
    for (long seed = 1; seed <= 2; seed++) {
      final var result = PlannerStudy.run(SETTINGS, seed);
      assertTrue(result.advantage() > 1.15, "seed " + seed + ": " + result.advantage());
    }
  }

  @Test
  void shouldSettleAndLoseNothingWhenTheLoadIsConstant() {
    for (Workload.Phase phase :
        List.of(LONG_PROMPTS, LONG_ANSWERS, new Workload.Phase(600, 25, 2000, 250))) {
      final var load = Workload.phases("constant", List.of(phase), 400, 1);
      final var result = PlannerStudy.compare(SETTINGS, load, 1);
      assertTrue(result.advantage() > 0.97, phase + ": " + result.advantage());
      assertTrue(result.planned().moves() <= MOVES_TO_SETTLE, phase + ": " + result.planned());
    }
  }

  @Test
  void shouldDoLittleHarmWhenOneSplitServesAllPhases() {
    final List<Workload.Phase> mild =
        List.of(new Workload.Phase(240, 30, 3000, 120), new Workload.Phase(240, 25, 800, 500));
    final var result = PlannerStudy.compare(SETTINGS, Workload.phases("mild", mild, 960, 7), 7);
    assertTrue(result.advantage() > 0.95, () -> "advantage " + result.advantage());
  }

  @Test
  void shouldMoveNothingWhenDry() {
    final var dry =
        new PlannerStudy.Settings(
            SETTINGS.cluster(),
            PlannerSettings.from(
                ConfigFactory.parseString("dry-run = on")
                    .withFallback(STATOR.getConfig("planner"))),
            SETTINGS.phases(),
            120);
    final var load = Workload.phases("short", dry.phases(), dry.seconds(), 1);
    final var cluster =
        new SimulatedCluster(dry.cluster(), 4, load, 1).planned(dry.planner()).run();
    assertEquals(List.of(), cluster.moves());
    assertTrue(cluster.decisions().size() > 20);
  }

  @Test
  void shouldGiveTheSameFiguresForTheSameSeed() {
    final var load = Workload.phases("short", SETTINGS.phases(), 300, 5);
    assertEquals(PlannerStudy.compare(SETTINGS, load, 5), PlannerStudy.compare(SETTINGS, load, 5));
  }

  @Test
  void shouldComeCloseToTheBestSplitOfARecordedTrace() throws IOException {
    final var result = PlannerStudy.compare(SETTINGS, trace(1), 1);
    assertTrue(result.advantage() > 0.95, () -> "advantage " + result.advantage());
  }

  @Test
  void shouldDrainTheBacklogWhenFarMoreIsAskedForThanCanBeServed() throws IOException {
    final var result = PlannerStudy.compare(SETTINGS, trace(2), 1);
    assertTrue(result.advantage() > 0.7, () -> "advantage " + result.advantage());
    final var begun = result.fixed().get(SETTINGS.cluster().slots() / 2 - 1);
    assertTrue(result.planned().goodput() > begun.goodput(), result::toString);
  }

  private static Workload trace(double compression) throws IOException {
    final Path trace =
        Path.of(
            System.getProperty("stator.root"),
            "..",
            "shared",
            "traces",
            "mooncake_conversation_trace.jsonl");
    assumeTrue(Files.exists(trace), "needs " + trace);
    return Workload.trace(trace, compression);
  }
}
