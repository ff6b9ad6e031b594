package dev.stator.simulation;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.stator.planner.PlannerSettings;
import dev.stator.router.RouterSettings;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What the planner is worth: goodput of a pool whose load swings from prompt-heavy to answer-heavy,
 * with the planner and with every fixed split. Simulated.
 */
public final class PlannerStudy {
  /**
   * @param cluster what is simulated
   * @param planner with its targets, which decide what is good
   * @param phases of the load, repeated
   * @param seconds of load
   */
  public record Settings(
      SimulatedCluster.Setup cluster,
      PlannerSettings planner,
      List<Workload.Phase> phases,
      double seconds) {
    public Settings {
      phases = List.copyOf(phases);
    }

    /**
     * Eight slots with the timing of NVIDIA Dynamo's mocker, four minutes of long prompts and short
     * answers, then four of the opposite, three times.
     *
     * @param stator at {@code stator}
     */
    public static Settings swinging(Config stator) {
      final Config targets =
          ConfigFactory.parseString("ttft-target = 2s, itl-target = 30ms")
              .withFallback(stator.getConfig("planner"));
      return new Settings(
          new SimulatedCluster.Setup(
              TimingModel.MOCKER, RouterSettings.from(stator.getConfig("router")), 8, 120),
          PlannerSettings.from(targets),
          List.of(new Workload.Phase(240, 42, 4000, 60), new Workload.Phase(240, 34, 300, 800)),
          1440);
    }
  }

  /**
   * One line of the table.
   *
   * @param goodput requests a second that met both targets
   */
  public record Row(String split, double goodput, int moves) {}

  /** Goodput of the planner and of each fixed split. */
  public record Result(Workload workload, Row planned, List<Row> fixed) {
    public Result {
      fixed = List.copyOf(fixed);
    }

    /** The best that a fixed split reaches. */
    public Row bestFixed() {
      Row best = fixed.getFirst();
      for (Row row : fixed) if (row.goodput() > best.goodput()) best = row;
      return best;
    }

    /** The planner's goodput over that of the best fixed split. */
    public double advantage() {
      return planned.goodput() / bestFixed().goodput();
    }
  }

  private PlannerStudy() {}

  /** Simulates the swinging load of a seed and prints the table. */
  public static Result run(Settings settings, long seed, PrintStream out) {
    final Workload workload =
        Workload.phases("swinging", settings.phases(), settings.seconds(), seed);
    final Result result = compare(settings, workload, seed);
    print(settings, seed, result, out);
    return result;
  }

  /** Simulates any load with the planner, and with every fixed split of the slots. */
  public static Result compare(Settings settings, Workload workload, long seed) {
    final int slots = settings.cluster().slots();
    final List<Row> fixed = new ArrayList<>();
    for (int prefill = 1; prefill < slots; prefill++) {
      final var cluster = new SimulatedCluster(settings.cluster(), prefill, workload, seed);
      fixed.add(row(settings, prefill + "P" + (slots - prefill) + "D", cluster.run()));
    }
    final var planned =
        new SimulatedCluster(settings.cluster(), slots / 2, workload, seed)
            .planned(settings.planner());
    return new Result(workload, row(settings, "planner", planned.run()), fixed);
  }

  private static Row row(Settings settings, String split, SimulatedCluster cluster) {
    final double goodput =
        cluster.goodput(
            settings.planner().ttftTarget().toNanos() / 1e9,
            settings.planner().itlTarget().toNanos() / 1e9);
    return new Row(split, goodput, cluster.moves().size());
  }

  private static void print(Settings settings, long seed, Result result, PrintStream out) {
    out.printf(
        Locale.ROOT,
        "simulated: %d slots, %s load, seed %d, %d requests in %.0f s; goodput: requests/s with"
            + " TTFT <= %d ms and ITL <= %d ms%n",
        settings.cluster().slots(),
        result.workload().name(),
        seed,
        result.workload().arrivals().size(),
        result.workload().seconds(),
        settings.planner().ttftTarget().toMillis(),
        settings.planner().itlTarget().toMillis());
    out.printf("%-10s %10s %8s %7s%n", "split", "goodput", "of all", "moves");
    for (Row row : result.fixed()) print(result, row, out);
    print(result, result.planned(), out);
    out.printf(
        Locale.ROOT,
        "planner / best fixed (%s): %.3f%n",
        result.bestFixed().split(),
        result.advantage());
  }

  private static void print(Result result, Row row, PrintStream out) {
    final double all = result.workload().arrivals().size() / result.workload().seconds();
    out.printf(
        Locale.ROOT,
        "%-10s %10.2f %7.1f%% %7d%n",
        row.split(),
        row.goodput(),
        100 * row.goodput() / all,
        row.moves());
  }
}
