package dev.stator.cli.planner;

import com.typesafe.config.Config;
import dev.stator.planner.PlannerSettings;
import dev.stator.router.RouterSettings;
import dev.stator.simulation.PlannerStudy;
import dev.stator.simulation.SimulatedCluster;
import dev.stator.simulation.TimingModel;
import java.util.List;

/** Every split of a simulated pool, and the planner. */
public final class SimulatedPools {
  private static final double SETTLE_SECONDS = 120;

  private final PlannerBenchSettings settings;
  private final PlannerStudy.Settings study;

  /**
   * @param stator configuration at {@code stator}, with the planner's targets
   */
  public SimulatedPools(PlannerBenchSettings settings, Config stator) {
    this.settings = settings;
    this.study =
        new PlannerStudy.Settings(
            new SimulatedCluster.Setup(
                TimingModel.MOCKER,
                RouterSettings.from(stator.getConfig("router")),
                settings.slots(),
                SETTLE_SECONDS),
            PlannerSettings.from(stator.getConfig("planner")),
            settings.phases(),
            settings.seconds());
  }

  /** The load of one round, under all splits and the planner. */
  public PlannerBenchReport.Round run(int round) {
    final long seed = settings.seed() + round;
    return PlannerBenchReport.Round.of(seed, PlannerStudy.run(study, seed), List.of());
  }
}
