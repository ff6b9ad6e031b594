package dev.stator.cli.engine;

import dev.stator.cli.CommandException;
import dev.stator.cli.bench.Spread;
import dev.stator.model.LoadedModel;
import dev.stator.model.file.ModelFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Measures a model's kernel families and llama.cpp in turns: case by case in each round, so that a
 * machine that grows slower meanwhile does so for all.
 */
public final class EngineBench {
  private final EngineBenchSettings settings;
  private final Path model;
  private final Consumer<String> progress;
  private final List<EngineBenchReport.Contestant> contestants = new ArrayList<>();
  private final List<EngineBenchReport.Figure> figures = new ArrayList<>();
  private final List<EngineBenchReport.ContextCost> costs = new ArrayList<>();

  /**
   * @param progress is told, a line at a time, what goes on
   */
  public EngineBench(EngineBenchSettings settings, Path model, Consumer<String> progress) {
    this.settings = settings;
    this.model = model;
    this.progress = progress;
  }

  /**
   * Measures everything; takes minutes.
   *
   * @throws CommandException when llama.cpp's program does not work, or a sequence is too long for
   *     the model
   */
  public EngineBenchReport run(String machine, String stator, String startedAt)
      throws InterruptedException {
    try (LoadedModel loaded = ModelFiles.open(model)) {
      final int contextLength = loaded.config().contextLength();
      if (settings.longest() > contextLength) {
        throw new CommandException(
            "a sequence of %d tokens is asked for, this model's context length is %d"
                .formatted(settings.longest(), contextLength));
      }
      for (int threads : settings.threads()) runWith(loaded, threads);
    }
    return new EngineBenchReport(
        model.getFileName().toString(),
        machine,
        stator,
        startedAt,
        settings.rounds(),
        comparedWith(),
        contestants,
        figures,
        costs);
  }

  private String comparedWith() {
    if (settings.against().isPresent()) return LlamaContender.NAME;
    final boolean hasSeveral = settings.kernels().size() * settings.kvTypes().size() > 1;
    return hasSeveral
        ? EngineBenchSettings.title(settings.kernels().getLast(), settings.kvTypes().getLast())
        : null;
  }

  private void runWith(LoadedModel loaded, int threads) throws InterruptedException {
    final List<Contender> all = new ArrayList<>();
    try {
      if (settings.against().isPresent()) {
        progress.accept("trying " + settings.against().get());
        final boolean measuresContexts = !settings.contexts().isEmpty();
        all.add(new LlamaContender(settings.against().get(), model, threads, measuresContexts));
      }
      int count = 0;
      for (String kernels : settings.kernels()) {
        for (String kvType : settings.kvTypes()) {
          progress.accept(
              "loading, kernels %s, threads: %d"
                  .formatted(EngineBenchSettings.title(kernels, kvType), threads));
          all.add(count++, new CpuContender(loaded, kernels, kvType, threads, settings));
        }
      }
      for (Contender each : all) {
        contestants.add(new EngineBenchReport.Contestant(each.name(), threads, each.description()));
      }
      report(all, threads, measure(all, threads));
    } finally {
      all.forEach(Contender::close);
    }
  }

  /** Tokens a second by case, contender and round; NaN for what was not measured. */
  private double[][][] measure(List<Contender> all, int threads) throws InterruptedException {
    final List<EngineCase> cases = settings.cases();
    progress.accept("warming up");
    for (EngineCase each : cases) {
      for (Contender contender : all) contender.warmUp(each);
    }
    final double[][][] speeds = new double[cases.size()][all.size()][settings.rounds()];
    for (int round = 0; round < settings.rounds(); round++) {
      progress.accept(
          "round %d of %d, threads: %d".formatted(round + 1, settings.rounds(), threads));
      for (int c = 0; c < cases.size(); c++) {
        for (int who = 0; who < all.size(); who++) {
          final OptionalDouble speed = all.get(who).tokensPerSecond(cases.get(c));
          speeds[c][who][round] = speed.orElse(Double.NaN);
        }
      }
    }
    return speeds;
  }

  private void report(List<Contender> all, int threads, double[][][] speeds) {
    final List<EngineCase> cases = settings.cases();
    final int last = all.size() - 1; // The peer, else the family that others compare with.
    for (int c = 0; c < cases.size(); c++) {
      for (int who = 0; who <= last; who++) {
        final double[] own = speeds[c][who];
        figures.add(
            new EngineBenchReport.Figure(
                cases.get(c).what(),
                threads,
                all.get(who).name(),
                Double.isNaN(own[0]) ? null : Spread.of(own).median(),
                who == last ? null : ratio(own, speeds[c][last])));
      }
    }
    if (settings.contexts().size() < 2) return;
    final int shortest = contextCase(cases, settings.contexts().stream().mapToInt(i -> i).min());
    final int longest = contextCase(cases, settings.contexts().stream().mapToInt(i -> i).max());
    for (int who = 0; who <= last; who++) {
      costs.add(
          new EngineBenchReport.ContextCost(
              ((EngineCase.DecodeAt) cases.get(longest)).context(),
              ((EngineCase.DecodeAt) cases.get(shortest)).context(),
              threads,
              all.get(who).name(),
              ratio(speeds[shortest][who], speeds[longest][who])));
    }
  }

  private int contextCase(List<EngineCase> cases, OptionalInt context) {
    return cases.indexOf(new EngineCase.DecodeAt(context.orElseThrow(), settings.decode()));
  }

  /** Of each round's own ratio; {@code null} when one side was not measured. */
  private static EngineBenchReport.Range ratio(double[] ours, double[] others) {
    final double[] ratios =
        IntStream.range(0, ours.length).mapToDouble(round -> ours[round] / others[round]).toArray();
    if (Double.isNaN(ratios[0])) return null;
    final Spread spread = Spread.of(ratios);
    return new EngineBenchReport.Range(spread.median(), spread.low(), spread.high());
  }
}
