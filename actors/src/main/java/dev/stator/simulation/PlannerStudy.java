package dev.stator.simulation;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.stator.planner.PlannerSettings;
import dev.stator.router.RouterSettings;
import java.util.ArrayList;
import java.util.List;

/**
 * What the planner is worth: goodput of a pool whose load swings from prompt-heavy to answer-heavy,
 * with the planner and with every fixed split. Simulated here; its figures are those of real pools,
 * too.
 */
public final class PlannerStudy {
  /** The planner's name where splits have theirs. */
  public static final String PLANNER = "planner";

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
   * What became of a request.
   *
   * @param atS its arrival
   * @param ttftS infinite without a first token
   * @param itlS mean between its tokens; infinite without its last token
   */
  public record Outcome(double atS, double ttftS, double itlS) {}

  /**
   * A split and what it is worth.
   *
   * @param split such as 1P7D, or "planner"
   * @param goodput requests a second that met both targets
   * @param share of all requests that met both
   * @param ttftMet share of all requests whose first token came in time
   * @param itlMet share of all requests whose tokens came in time, on the average
   * @param phasesMet share of the requests that met both, of each phase
   * @param moves of slots
   */
  public record Row(
      String split,
      double goodput,
      double share,
      double ttftMet,
      double itlMet,
      List<Double> phasesMet,
      int moves) {
    public Row {
      phasesMet = List.copyOf(phasesMet);
    }

    /**
     * @param load that was asked for; a request without outcome counts as failed
     */
    public static Row of(
        String split,
        PlannerSettings targets,
        Workload load,
        List<Workload.Phase> phases,
        List<Outcome> outcomes,
        int moves) {
      final double ttftS = targets.ttftTarget().toNanos() / 1e9;
      final double itlS = targets.itlTarget().toNanos() / 1e9;
      final int[] sent = new int[phases.size()];
      final int[] met = new int[phases.size()];
      load.arrivals().forEach(arrival -> sent[Workload.phaseAt(phases, arrival.atS())]++);
      int inTime = 0;
      int smooth = 0;
      int good = 0;
      for (Outcome outcome : outcomes) {
        final boolean isInTime = outcome.ttftS() <= ttftS;
        final boolean isSmooth = outcome.itlS() <= itlS;
        if (isInTime) inTime++;
        if (isSmooth) smooth++;
        if (!isInTime || !isSmooth) continue;
        good++;
        met[Workload.phaseAt(phases, outcome.atS())]++;
      }
      final double all = Math.max(1, load.arrivals().size());
      final List<Double> phasesMet = new ArrayList<>();
      for (int i = 0; i < met.length; i++) phasesMet.add((double) met[i] / Math.max(1, sent[i]));
      return new Row(
          split, good / load.seconds(), good / all, inTime / all, smooth / all, phasesMet, moves);
    }
  }

  /** The planner and each fixed split under one load. */
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

    /** The planner's goodput over that of the best fixed split; 1 where both have none. */
    public double advantage() {
      if (bestFixed().goodput() == 0) return planned.goodput() == 0 ? 1 : Double.POSITIVE_INFINITY;
      return planned.goodput() / bestFixed().goodput();
    }
  }

  private PlannerStudy() {}

  /** Simulates the swinging load of a seed. */
  public static Result run(Settings settings, long seed) {
    return compare(
        settings, Workload.phases("swinging", settings.phases(), settings.seconds(), seed), seed);
  }

  /** Simulates any load with the planner, and with every fixed split of the slots. */
  public static Result compare(Settings settings, Workload workload, long seed) {
    final int slots = settings.cluster().slots();
    final List<Row> fixed = new ArrayList<>();
    for (int prefill = 1; prefill < slots; prefill++) {
      final var cluster = new SimulatedCluster(settings.cluster(), prefill, workload, seed);
      fixed.add(row(settings, split(prefill, slots), workload, cluster.run()));
    }
    final var planned =
        new SimulatedCluster(settings.cluster(), slots / 2, workload, seed)
            .planned(settings.planner());
    return new Result(workload, row(settings, PLANNER, workload, planned.run()), fixed);
  }

  /** A fixed split's name. */
  public static String split(int prefillSlots, int slots) {
    return prefillSlots + "P" + (slots - prefillSlots) + "D";
  }

  private static Row row(
      Settings settings, String split, Workload workload, SimulatedCluster cluster) {
    return Row.of(
        split,
        settings.planner(),
        workload,
        settings.phases(),
        cluster.outcomes(),
        cluster.moves().size());
  }
}
