package dev.stator.cli;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.stator.cli.bench.GoodputTargets;
import dev.stator.cli.bench.ProgressPrinter;
import dev.stator.cli.planner.PlannerBenchJson;
import dev.stator.cli.planner.PlannerBenchReport;
import dev.stator.cli.planner.PlannerBenchSettings;
import dev.stator.cli.planner.PlannerBenchTable;
import dev.stator.cli.planner.RealPools;
import dev.stator.cli.planner.SimulatedPools;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code stator bench planner}: the planner against every fixed split. */
@Command(
    name = "planner",
    sortOptions = false,
    abbreviateSynopsis = true,
    description = {
      "Compare the planner, which moves slots between prefill and decode, with every fixed split,"
          + " under a load that swings between long prompts and long answers.",
      "Simulated, in seconds: the router's and the planner's own code over slots with the timing of"
          + " a GPU. With --real: a cluster of processes on this machine for each split in turn,"
          + " loaded over HTTP; all of them end with the command."
    },
    footer = {
      "",
      "Examples:",
      "  stator bench planner --rounds 3",
      "  stator bench planner --real --json planner.json",
      "  stator bench planner --phase 4m:42:4000:60 --phase 4m:34:300:800 --duration 24m"
    })
final class PlannerBenchCommand implements Callable<Integer> {
  /** What is measured unless options say otherwise. */
  private record Defaults(int slots, List<String> phases, String duration, String goodput) {
    static final Defaults SIMULATED =
        new Defaults(8, List.of("4m:42:4000:60", "4m:34:300:800"), "24m", "ttft=2s,itl=30ms");
    static final Defaults REAL =
        new Defaults(3, List.of("25s:6:900:16", "25s:9:100:350"), "50s", "ttft=1s,itl=25ms");
  }

  private final CliContext context;

  @Spec private CommandSpec spec;

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "MODEL",
      description = "With --real: GGUF file or Hugging Face folder. Default: the bundled one.")
  private String model;

  @Option(names = "--real", description = "Measure processes of this machine; simulate nothing.")
  private boolean real;

  @Option(
      names = "--slots",
      paramLabel = "N",
      description =
          "Engine slots in the pool; with --real, worker nodes with a slot each. Default: 8; 3.")
  private Integer slots;

  @Option(
      names = "--phase",
      paramLabel = "TIME:RATE:PROMPT:ANSWER",
      description =
          "A part of the load: how long, requests a second, mean tokens of prompts and of answers."
              + " Repeat it for further phases; they go round.")
  private List<String> phases = new ArrayList<>();

  @Option(
      names = "--duration",
      paramLabel = "TIME",
      description = "Load of each split. Default: 24m of virtual time; with --real 50s.")
  private String duration;

  @Option(
      names = "--goodput",
      paramLabel = "TARGETS",
      description =
          "What a request must meet, and what the planner plans for. Default: ttft=2s,itl=30ms;"
              + " with --real ttft=1s,itl=25ms.")
  private String goodput;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Each has other arrivals and lengths, and every split has its turn. Default:"
              + " ${DEFAULT-VALUE}.")
  private int rounds;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Of the first round's load; the next one has the next. Default: 1.")
  private long seed;

  @Option(
      names = "--warm-up",
      paramLabel = "TIME",
      defaultValue = "20s",
      description = "With --real: load of each cluster before it is measured. Default: 20s.")
  private String warmUp;

  @Option(
      names = "--logs",
      paramLabel = "FOLDER",
      description = "With --real: keep the nodes' logs there. Default: they are deleted.")
  private Path logs;

  @Option(names = "--json", paramLabel = "FILE", description = "Write every figure as JSON.")
  private Path json;

  @Mixin private EngineOptions engine;

  PlannerBenchCommand(CliContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (!real && model != null) throw new UsageException("MODEL goes with --real");
    final PlannerBenchSettings settings = settings(real ? Defaults.REAL : Defaults.SIMULATED);
    engine.applyLogging(context);
    final String startedAt = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    final Config stator = withTargets(settings);
    final List<PlannerBenchReport.Round> measured =
        real ? measure(settings, stator) : simulate(settings, stator);
    final PlannerBenchReport report =
        settings.report(
            real, Machine.describe(), "stator " + Version.number(), startedAt, measured);
    final PrintWriter out = spec.commandLine().getOut();
    out.print(PlannerBenchTable.format(report));
    out.flush();
    if (json != null) Files.writeString(json, PlannerBenchJson.format(report));
    return 0;
  }

  private PlannerBenchSettings settings(Defaults defaults) {
    return new PlannerBenchSettings(
        slots == null ? defaults.slots() : slots,
        (phases.isEmpty() ? defaults.phases() : phases)
            .stream().map(PlannerBenchSettings::phase).toList(),
        Durations.parse("--duration", duration == null ? defaults.duration() : duration),
        GoodputTargets.parse(goodput == null ? defaults.goodput() : goodput),
        rounds,
        seed);
  }

  /** The configuration at {@code stator} as its nodes would have it. */
  private Config withTargets(PlannerBenchSettings settings) {
    return ConfigFactory.parseMap(settings.plannerTargets())
        .withFallback(engine.effective(context))
        .getConfig("stator");
  }

  private List<PlannerBenchReport.Round> simulate(PlannerBenchSettings settings, Config stator) {
    final SimulatedPools pools = new SimulatedPools(settings, stator);
    final List<PlannerBenchReport.Round> measured = new ArrayList<>();
    for (int round = 0; round < settings.rounds(); round++) {
      say("round %d of %d".formatted(round + 1, settings.rounds()));
      measured.add(pools.run(round));
    }
    return measured;
  }

  private List<PlannerBenchReport.Round> measure(PlannerBenchSettings settings, Config stator)
      throws IOException, InterruptedException {
    final RealPools pools =
        new RealPools(
            new RealPools.Setup(
                context,
                engine,
                model,
                settings,
                Durations.parse("--warm-up", warmUp),
                Optional.ofNullable(logs)),
            stator,
            new ProgressPrinter(spec.commandLine().getErr(), context.isTerminal()),
            this::say);
    final List<PlannerBenchReport.Round> measured = new ArrayList<>();
    for (int round = 0; round < settings.rounds(); round++) measured.add(pools.run(round));
    return measured;
  }

  private void say(String what) {
    spec.commandLine().getErr().println(what);
  }
}
