package dev.stator.cli.kernels;

import dev.stator.cli.UsageException;
import dev.stator.device.cuda.Cuda;
import dev.stator.device.cuda.CudaBenchmark;
import dev.stator.device.cuda.CudaGpu;
import dev.stator.model.WeightType;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Consumer;

/** Measures steps of random models on the first GPU. */
public final class CudaBench {
  private static final Set<WeightType> TYPES =
      Set.of(
          WeightType.BF16, WeightType.Q8_0, WeightType.Q4_K, WeightType.Q6_K, WeightType.F8_E4M3);
  private static final long COPY_BYTES = 2L << 30;

  private final List<WeightType> types;
  private final int rounds;
  private final Consumer<String> progress;

  /**
   * @param rounds steps of each kind that are measured
   * @param progress is told, a line at a time, what goes on
   * @throws UsageException when a type has no kernels of its own on GPUs
   */
  public CudaBench(List<WeightType> types, int rounds, Consumer<String> progress) {
    for (WeightType type : types) {
      if (!TYPES.contains(type)) {
        throw new UsageException(
            "--type must be of BF16, Q8_0, Q4_K, Q6_K, F8_E4M3 on a GPU: " + type);
      }
    }
    this.types = List.copyOf(types);
    this.rounds = rounds;
    this.progress = progress;
  }

  /**
   * The table.
   *
   * @throws UsageException when there is no GPU to be used; says why
   */
  public String run() {
    final Cuda.Found found = Cuda.find();
    final CudaGpu gpu =
        found.usable().stream()
            .findFirst()
            .orElseThrow(() ->
                new UsageException(
                    "--device cuda: " + found.obstacle().orElse("no GPU can be used")));
    progress.accept("measuring a copy of device memory");
    final var benchmark = new CudaBenchmark(gpu, rounds);
    final double copy = benchmark.copyBytesPerSecond(COPY_BYTES);
    final List<String> lines = new ArrayList<>();
    lines.add(gpu + ", " + rounds + " rounds, medians");
    lines.add(format("copy of device memory: %.0f GB/s, read and written", copy / 1e9));
    lines.add("");
    lines.add(
        format(
            "  %-5s %-5s %-16s %10s %12s %8s %7s %9s",
            "model", "type", "step", "ms", "tokens/s", "GB/s", "/ copy", "TFLOP/s"));
    for (CudaBenchmark.Shape shape : CudaBenchmark.Shape.values()) {
      for (WeightType type : types) {
        progress.accept("measuring " + shape.title() + " " + type);
        for (CudaBenchmark.Figure each : benchmark.measure(shape, type)) {
          lines.add(line(shape, type, each, copy));
        }
      }
    }
    return String.join("\n", lines) + "\n";
  }

  private static String line(
      CudaBenchmark.Shape shape, WeightType type, CudaBenchmark.Figure each, double copy) {
    return format(
        "  %-5s %-5s %-16s %10.3f %12.1f %8.0f %6.3fx %9.1f",
        shape.title(),
        type,
        each.what(),
        1e3 * each.seconds(),
        each.tokensPerSecond(),
        each.bytesPerSecond() / 1e9,
        each.bytesPerSecond() / copy,
        each.operationsPerSecond() / 1e12);
  }

  private static String format(String pattern, Object... values) {
    return String.format(Locale.ROOT, pattern, values);
  }
}
