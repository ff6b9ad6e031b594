package dev.stator.cli.planner;

import dev.stator.simulation.PlannerStudy;
import java.util.List;

/**
 * All that a run measured.
 *
 * @param real whether processes of this machine were measured; else all was simulated
 * @param machine in words
 * @param startedAt ISO 8601
 * @param targets in words
 * @param load in words
 * @param loadSeconds of each split in each round
 */
public record PlannerBenchReport(
    boolean real,
    String machine,
    String stator,
    String startedAt,
    int slots,
    String targets,
    String load,
    double loadSeconds,
    List<Round> rounds) {
  public PlannerBenchReport {
    rounds = List.copyOf(rounds);
  }

  /**
   * One load, under every split.
   *
   * @param requests that were sent to each
   * @param advantage the planner's goodput over that of the best fixed split
   * @param decisions of the planner, oldest first; those of a simulation are not kept
   */
  public record Round(
      long seed,
      int requests,
      List<PlannerStudy.Row> fixed,
      PlannerStudy.Row planned,
      String bestFixed,
      double advantage,
      List<Decision> decisions) {
    public Round {
      fixed = List.copyOf(fixed);
      decisions = List.copyOf(decisions);
    }

    static Round of(long seed, PlannerStudy.Result result, List<Decision> decisions) {
      return new Round(
          seed,
          result.workload().arrivals().size(),
          result.fixed(),
          result.planned(),
          result.bestFixed().split(),
          result.advantage(),
          decisions);
    }
  }

  /**
   * What the planner decided.
   *
   * @param atSeconds after the load's start
   */
  public record Decision(double atSeconds, boolean move, String decision) {}
}
