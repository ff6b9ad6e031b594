package dev.stator.cli.kernels;

import dev.stator.cli.UsageException;
import dev.stator.device.cuda.Cuda;
import dev.stator.device.cuda.CudaBenchmark;
import dev.stator.device.cuda.CudaException;
import dev.stator.device.cuda.CudaGpu;
import dev.stator.model.WeightType;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Measures steps of random models on the first GPU, and what the same bytes cost. Lines are given
 * as they are known, so that a run that is cut short has told what it had measured.
 */
public final class CudaBench {
  private static final Set<WeightType> TYPES =
      Set.of(
          WeightType.BF16, WeightType.Q8_0, WeightType.Q4_K, WeightType.Q6_K, WeightType.F8_E4M3);
  private static final long COPY_BYTES = 2L << 30;

  private final List<WeightType> types;
  private final int rounds;
  private final Consumer<String> out;
  private final Consumer<String> progress;
  private final List<CudaException> failures = new ArrayList<>();

  /**
   * @param rounds steps of each kind that are measured
   * @param out is told the tables, a line at a time
   * @param progress is told, a line at a time, what goes on
   * @throws UsageException when a type has no kernels of its own on GPUs
   */
  public CudaBench(
      List<WeightType> types, int rounds, Consumer<String> out, Consumer<String> progress) {
    for (WeightType type : types) {
      if (!TYPES.contains(type)) {
        throw new UsageException(
            "--type must be of BF16, Q8_0, Q4_K, Q6_K, F8_E4M3 on a GPU: " + type);
      }
    }
    this.types = List.copyOf(types);
    this.rounds = rounds;
    this.out = out;
    this.progress = progress;
  }

  /**
   * Gives all tables: for each shape and type its steps, then its prices; attention's at the end.
   *
   * @throws UsageException when there is no GPU to be used; says why
   * @throws CudaException when the device failed somewhere; what else could be measured was given
   */
  public void run() {
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
    CudaBenchTable.head(gpu.toString(), rounds, copy).forEach(out);
    for (CudaBenchmark.Shape shape : CudaBenchmark.Shape.values()) {
      for (WeightType type : types) {
        progress.accept("measuring " + shape.title() + " " + type);
        final String what = CudaBenchTable.what(shape.title(), type.name());
        final Consumer<String> steps = under(CudaBenchTable.stepHead());
        final Consumer<String> prices = under(CudaBenchTable.priceHead());
        attempt(
            what,
            () ->
                benchmark.measure(
                    shape,
                    type,
                    each -> steps.accept(CudaBenchTable.step(what, each, copy)),
                    each -> prices.accept(CudaBenchTable.price(what, each))));
      }
    }
    final Consumer<String> prices = under(CudaBenchTable.priceHead());
    for (CudaBenchmark.Shape shape : CudaBenchmark.Shape.values()) {
      progress.accept("measuring attention of " + shape.title());
      final String what = CudaBenchTable.what(shape.title(), "any");
      attempt(
          what,
          () ->
              benchmark.attentionPrices(
                  shape, each -> prices.accept(CudaBenchTable.price(what, each))));
    }
    if (!failures.isEmpty()) throw failures.getFirst();
  }

  /** Lines below a head, which the first of them brings with it. */
  private Consumer<String> under(String head) {
    final var heads = new ArrayList<>(List.of("", head));
    return line -> {
      heads.forEach(out);
      heads.clear();
      out.accept(line);
    };
  }

  /** What has no room on this device is no failure; what fails does not end the rest. */
  private void attempt(String what, Runnable work) {
    try {
      work.run();
    } catch (OutOfMemoryError e) {
      out.accept(what + " left out: " + e.getMessage());
    } catch (CudaException e) {
      out.accept(what + " left out: " + e.getMessage());
      failures.add(e);
    }
  }
}
