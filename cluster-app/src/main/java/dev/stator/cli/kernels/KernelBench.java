package dev.stator.cli.kernels;

import dev.stator.cli.bench.Spread;
import dev.stator.device.cpu.KernelBenchmark;
import dev.stator.model.WeightType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/** Measures the kernel families of some weight types in turns. */
public final class KernelBench {
  private final KernelBenchSettings settings;
  private final Consumer<String> progress;

  /**
   * @param progress is told, a line at a time, what goes on
   */
  public KernelBench(KernelBenchSettings settings, Consumer<String> progress) {
    this.settings = settings;
    this.progress = progress;
  }

  /** Measures everything; takes seconds a type, or minutes with large matrices. */
  public KernelBenchReport run(String machine, String stator, String startedAt) {
    final List<KernelBenchReport.Figure> figures = new ArrayList<>();
    for (WeightType type : settings.types()) {
      progress.accept("measuring " + type);
      figures.addAll(measure(type));
    }
    return new KernelBenchReport(
        machine,
        stator,
        startedAt,
        settings.threads(),
        settings.rows(),
        settings.columns(),
        settings.rounds(),
        figures);
  }

  private List<KernelBenchReport.Figure> measure(WeightType type) {
    final Map<String, KernelBenchmark> families = new LinkedHashMap<>();
    try {
      for (String family : KernelBenchmark.families(type)) families.put(family, open(family, type));
      return measure(type, families);
    } finally {
      families.values().forEach(KernelBenchmark::close);
    }
  }

  private KernelBenchmark open(String family, WeightType type) {
    final int tokensMax = KernelBenchSettings.TOKENS.stream().mapToInt(i -> i).max().orElseThrow();
    return new KernelBenchmark(
        family, type, settings.rows(), settings.columns(), tokensMax, settings.threads());
  }

  private List<KernelBenchReport.Figure> measure(
      WeightType type, Map<String, KernelBenchmark> families) {
    final int rounds = settings.rounds();
    final List<KernelBenchReport.Figure> figures = new ArrayList<>();
    for (int tokens : KernelBenchSettings.TOKENS) {
      final Map<String, double[]> multiplySeconds = new LinkedHashMap<>();
      final Map<String, double[]> readSeconds = new LinkedHashMap<>();
      for (String family : families.keySet()) {
        multiplySeconds.put(family, new double[rounds]);
        readSeconds.put(family, new double[rounds]);
      }
      for (int round = -1; round < rounds; round++) { // The first one warms up.
        final int at = Math.max(0, round);
        families.forEach((family, matrix) -> {
          readSeconds.get(family)[at] = matrix.readSeconds();
          multiplySeconds.get(family)[at] = matrix.multiplySeconds(tokens);
        });
      }
      families.forEach((family, matrix) ->
          figures.add(
              figure(
                  type,
                  family,
                  tokens,
                  matrix.packedBytes(),
                  multiplySeconds.get(family),
                  readSeconds.get(family))));
    }
    return figures;
  }

  private KernelBenchReport.Figure figure(
      WeightType type, String family, int tokens, long bytes, double[] seconds, double[] reads) {
    final double median = Spread.of(seconds).median();
    final Spread ofRead =
        Spread.of(
            IntStream.range(0, seconds.length).mapToDouble(i -> reads[i] / seconds[i]).toArray());
    return new KernelBenchReport.Figure(
        type.name(),
        family,
        tokens,
        bytes,
        bytes / median / 1e9,
        2.0 * settings.rows() * settings.columns() * tokens / median / 1e9,
        ofRead.median(),
        ofRead.low(),
        ofRead.high());
  }
}
