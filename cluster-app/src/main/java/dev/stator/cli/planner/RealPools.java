package dev.stator.cli.planner;

import com.fasterxml.jackson.databind.JsonNode;
import com.typesafe.config.Config;
import dev.stator.cli.CliContext;
import dev.stator.cli.EngineOptions;
import dev.stator.cli.bench.Bench;
import dev.stator.cli.bench.BenchSettings;
import dev.stator.cli.bench.ProgressPrinter;
import dev.stator.cli.bench.RequestResult;
import dev.stator.cli.bench.TimedRequest;
import dev.stator.cli.client.EndpointException;
import dev.stator.cli.client.OpenAiClient;
import dev.stator.cli.cluster.TemporaryCluster;
import dev.stator.planner.PlannerSettings;
import dev.stator.simulation.PlannerStudy;
import dev.stator.simulation.Workload;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Every split of a pool of real processes on this machine, and the planner, each under the same
 * requests: a cluster is started, warmed up, loaded over HTTP, and ended; then the next.
 */
public final class RealPools {
  private static final Duration START_PATIENCE = Duration.ofMinutes(2);
  private static final Duration REQUEST_PATIENCE = Duration.ofMinutes(2);
  private static final int IN_FLIGHT_MAX = 512;
  private static final double PROMPT_SHARE_MAX = 0.85; // Of what fits: sizes are in words.
  private static final long WARM_UP_SEED = 0x3A11;

  /**
   * The planner's times for answers of a second or two, which small models give; those that the
   * user sets count instead.
   */
  private static final Map<String, String> QUICK_PLANNER =
      Map.of(
          "stator.planner.interval", "2s",
          "stator.planner.report-interval", "500ms",
          "stator.planner.horizon", "20s",
          "stator.planner.moves-budget-window", "20s",
          "stator.planner.move-timeout", "20s");

  /**
   * What is measured, and where.
   *
   * @param model {@code null} for the bundled one
   * @param warmUp of each cluster, under the same kind of load
   * @param logs where the clusters' logs stay; empty for nowhere
   */
  public record Setup(
      CliContext context,
      EngineOptions engine,
      String model,
      PlannerBenchSettings settings,
      Duration warmUp,
      Optional<Path> logs) {}

  private final Setup setup;
  private final PlannerBenchSettings settings;
  private final PlannerSettings targets;
  private final ProgressPrinter printer;
  private final Consumer<String> log;

  /**
   * @param stator configuration at {@code stator}, with the planner's targets
   * @param log gets what is done, in words
   */
  public RealPools(Setup setup, Config stator, ProgressPrinter printer, Consumer<String> log) {
    this.setup = setup;
    this.settings = setup.settings();
    this.targets = PlannerSettings.from(stator.getConfig("planner"));
    this.printer = printer;
    this.log = log;
  }

  /** The load of one round, under all splits and the planner; who begins changes by the round. */
  public PlannerBenchReport.Round run(int round) throws IOException, InterruptedException {
    if (round == 0) {
      log.accept("making the nodes' start-up cache, unless it is there");
      TemporaryCluster.prepare(setup.context());
    }
    final long seed = settings.seed() + round;
    final Workload load = Workload.phases("swinging", settings.phases(), settings.seconds(), seed);
    final int arms = settings.slots();
    final PlannerStudy.Row[] rows = new PlannerStudy.Row[arms];
    final List<PlannerBenchReport.Decision> decisions = new ArrayList<>();
    for (int i = 0; i < arms; i++) {
      final int arm = (i + round) % arms; // 0 is the planner, others are prefill slots.
      rows[arm] = measure(arm, load, seed, decisions);
    }
    final var result = new PlannerStudy.Result(load, rows[0], List.of(rows).subList(1, arms));
    return PlannerBenchReport.Round.of(seed, result, decisions);
  }

  private PlannerStudy.Row measure(
      int arm, Workload load, long seed, List<PlannerBenchReport.Decision> decisions)
      throws IOException, InterruptedException {
    final boolean planned = arm == 0;
    final int prefill = planned ? settings.slots() / 2 : arm;
    final String name =
        planned ? PlannerStudy.PLANNER : PlannerStudy.split(prefill, settings.slots());
    log.accept(name + ": starting " + settings.slots() + " workers and a frontend");
    final var shape =
        new TemporaryCluster.Shape(
            prefill, settings.slots() - prefill, setup.model(), engine(planned));
    try (var cluster =
            TemporaryCluster.start(
                setup.context(), setup.logs(), name + "-seed-" + seed, shape, START_PATIENCE);
        var client = new OpenAiClient(cluster.address(), Optional.empty(), REQUEST_PATIENCE)) {
      final JsonNode served = cluster.view().at("/models/0");
      final int contextLength = served.path("context_length").asInt();
      log.accept(name + ": warming up");
      bench(client, served, ~seed).follow(schedule(warmUpLoad(), contextLength));
      log.accept(name + ": " + load.arrivals().size() + " requests");
      try (DecisionWatch watch = new DecisionWatch(cluster)) {
        final List<RequestResult> results =
            bench(client, served, seed).follow(schedule(load, contextLength));
        final var decided = watch.decisions();
        if (planned) decisions.addAll(decided);
        final int moves = (int) decided.stream().filter(PlannerBenchReport.Decision::move).count();
        final PlannerStudy.Row row =
            PlannerStudy.Row.of(name, targets, load, settings.phases(), outcomes(results), moves);
        log.accept(
            String.format(
                Locale.ROOT,
                "%s: goodput %.2f requests/s, %.1f %% of all%s",
                name,
                row.goodput(),
                100 * row.share(),
                failures(results)));
        return row;
      }
    }
  }

  /** In words, with one message a kind; empty when there is none. */
  private static String failures(List<RequestResult> results) {
    final Map<String, String> examples = new TreeMap<>();
    int failed = 0;
    for (RequestResult result : results) {
      if (result.isOk()) continue;
      failed++;
      final EndpointException failure = result.response().failure();
      examples.putIfAbsent(failure.kind(), failure.getMessage());
    }
    return failed == 0 ? "" : "; " + failed + " failed: " + String.join("; ", examples.values());
  }

  private EngineOptions engine(boolean planned) {
    final Map<String, String> forced = new TreeMap<>(settings.plannerTargets());
    forced.put("stator.planner.enabled", planned ? "on" : "off");
    return setup.engine().with(setup.context(), QUICK_PLANNER, forced);
  }

  private Bench bench(OpenAiClient client, JsonNode served, long seed) {
    final BenchSettings load =
        BenchSettings.ofSchedule(
            settings.duration(), IN_FLIGHT_MAX, seed, REQUEST_PATIENCE, settings.targets());
    return new Bench(load, client, served.path("name").asText(), printer);
  }

  /** All phases, each for its share of the time. */
  private Workload warmUpLoad() {
    final double cycle = settings.phases().stream().mapToDouble(Workload.Phase::seconds).sum();
    final double seconds = setup.warmUp().toNanos() / 1e9;
    final List<Workload.Phase> shorter =
        settings.phases().stream()
            .map(phase ->
                new Workload.Phase(
                    phase.seconds() * seconds / cycle,
                    phase.perSecond(),
                    phase.promptMean(),
                    phase.answerMean()))
            .toList();
    return Workload.phases("warm-up", shorter, seconds, WARM_UP_SEED);
  }

  /** What does not fit into the model's context is cut, for all splits alike. */
  private static List<TimedRequest> schedule(Workload load, int contextLength) {
    return load.arrivals().stream()
        .map(arrival -> {
          final int answer = Math.min(arrival.answerTokens(), contextLength / 2);
          final int promptMax = (int) (PROMPT_SHARE_MAX * (contextLength - answer));
          return new TimedRequest(
              Math.round(arrival.atS() * 1e9), Math.min(arrival.promptTokens(), promptMax), answer);
        })
        .toList();
  }

  private static List<PlannerStudy.Outcome> outcomes(List<RequestResult> results) {
    return results.stream().map(RealPools::outcome).toList();
  }

  private static PlannerStudy.Outcome outcome(RequestResult result) {
    final boolean answered = result.isOk() && result.hasTokens();
    return new PlannerStudy.Outcome(
        result.intendedNs() / 1e9,
        answered ? result.ttftNs() / 1e9 : Double.POSITIVE_INFINITY,
        answered ? result.tokenIntervalNs() / 1e9 : Double.POSITIVE_INFINITY);
  }
}
