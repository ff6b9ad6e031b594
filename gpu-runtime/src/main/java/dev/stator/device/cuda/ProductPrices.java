package dev.stator.device.cuda;

import dev.stator.model.ModelConfig;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * What the one cut of columns costs products, beside whichever kernel and cut are the fastest for a
 * matrix and a number of tokens; and norms, whose threads are one number.
 *
 * <p><b>Threads:</b> the driver's.
 */
final class ProductPrices {
  /** Matrices that a measurement goes through, at most. */
  private static final int MATRICES_MAX = 256;

  private static final int[] NORM_THREADS = {0, 512, 1024}; // The first is ours.

  /**
   * A product of each layer, or of the head.
   *
   * @param x bf16
   * @param adds whether to what is there
   */
  private record Product(String name, List<CudaMatrix> matrices, long x, long out, boolean adds) {
    CudaMatrix first() {
      return matrices.getFirst();
    }
  }

  /** What was measured. */
  private record Case(int rows, int columns, int tokens) {}

  private final CudaRank rank;
  private final ModelConfig config;
  private final int rounds;
  private final List<Product> products;
  private final Map<Case, MatmulVariant> fastest = new HashMap<>();
  private final Map<Case, MatmulVariant> fastestOfSameBits = new HashMap<>();
  private final Map<Integer, Integer> normThreads = new HashMap<>(); // By tokens.

  /**
   * @param tokensMax that will be measured
   * @param bytesMin of a product's weights that a measurement goes through, if need be copies
   */
  ProductPrices(CudaRank rank, int tokensMax, long bytesMin, int rounds) {
    this.rank = rank;
    config = rank.shard().config();
    this.rounds = rounds;
    final Driver driver = rank.driver();
    driver.attach();
    if (!rank.kernels().canPack() && WgmmaProbe.hasWgmma(driver)) {
      final int widest =
          Math.max(config.intermediateSize(), Math.max(config.hiddenSize(), config.querySize()));
      rank.kernels().packTo(driver.allocate(MatmulShape.packedBytes(widest, tokensMax)));
    }
    products = products(bytesMin);
  }

  /**
   * A layer's norm, each of its products, and the head's as long as a step could want so many
   * logits.
   */
  List<Price> measure(int tokens) {
    rank.driver().attach();
    final List<Price> prices = new ArrayList<>();
    prices.add(measureNorm(tokens));
    fill(rank.rows().normed(), tokens, config.hiddenSize());
    fill(rank.rows().attended(), tokens, config.querySize());
    fill(rank.rows().gated(), tokens, config.intermediateSize());
    for (Product product : products) {
      final boolean isHead = product.out == rank.rows().logits();
      if (!isHead || tokens <= rank.logitsAtOnce()) prices.add(measure(product, tokens));
    }
    return prices;
  }

  /** Layer by layer, of the same rows, as they lie in caches in a step. */
  private Price measureNorm(int tokens) {
    final Activations rows = rank.rows();
    final int hidden = config.hiddenSize();
    rank.stream().fill(rows.x(), CudaBenchmark.SMALL, (long) tokens * hidden * Float.BYTES);
    final List<CudaWeights.Layer> layers = rank.weights().layers();
    final List<Contest.Entry> entries = new ArrayList<>();
    for (int threads : NORM_THREADS) {
      final Runnable work =
          () -> {
            for (CudaWeights.Layer layer : layers) {
              rank.kernels()
                  .norm(
                      threads,
                      rows.x(),
                      layer.attentionNorm(),
                      rows.normed(),
                      hidden,
                      config.rmsNormEpsilon(),
                      tokens);
            }
          };
      final String name = threads == 0 ? "256 threads" : threads + " threads";
      final var timed = new Contest.Recorded(rank.stream(), layers.size(), work);
      entries.add(new Contest.Entry(name, threads == 0, timed));
    }
    final String what = "norm %d, %d".formatted(hidden, tokens);
    final Contest.Result result = new Contest(rounds).run(what, entries);
    normThreads.put(tokens, NORM_THREADS[result.fastest()]);
    return result.price();
  }

  private List<Product> products(long bytesMin) {
    final Activations rows = rank.rows();
    final Function<Function<CudaWeights.Layer, CudaMatrix>, List<CudaMatrix>> matrices =
        of -> enough(rank.weights().layers().stream().map(of).toList(), bytesMin);
    return List.of(
        new Product(
            "q, k, v",
            matrices.apply(layer -> layer.queryKeyValue().parts().getFirst().matrix()),
            rows.normed(),
            rows.queryKeyValue(),
            false),
        new Product(
            "attention out",
            matrices.apply(CudaWeights.Layer::attentionOutput),
            rows.attended(),
            rows.x(),
            true),
        new Product(
            "gate, up",
            matrices.apply(layer -> layer.gateUp().parts().getFirst().matrix()),
            rows.normed(),
            rows.gateUp(),
            false),
        new Product("down", matrices.apply(CudaWeights.Layer::down), rows.gated(), rows.x(), true),
        new Product(
            "head",
            enough(List.of(rank.weights().outputHead()), bytesMin),
            rows.normed(),
            rows.logits(),
            false));
  }

  private void fill(long to, int tokens, int columns) {
    rank.stream().fill(to, CudaBenchmark.SMALL, (long) tokens * columns * Short.BYTES);
  }

  /** So many of them, or copies behind them, that caches do not hold all. */
  private List<CudaMatrix> enough(List<CudaMatrix> all, long bytesMin) {
    final CudaMatrix one = all.getFirst();
    final long bytes = MatmulShape.repackedBytes(one.type(), one.rows(), one.columns());
    final int count = Math.clamp(Math.ceilDiv(bytesMin, bytes), 1, MATRICES_MAX);
    if (count <= all.size()) return all.subList(0, count);
    final List<CudaMatrix> matrices = new ArrayList<>(all);
    long to = rank.driver().allocate((count - all.size()) * bytes);
    for (; matrices.size() < count; to += bytes) {
      rank.stream().copy(to, one.address(), bytes);
      matrices.add(new CudaMatrix(to, one.type(), one.rows(), one.columns()));
    }
    return matrices;
  }

  private Price measure(Product product, int tokens) {
    final CudaMatrix matrix = product.first();
    final List<MatmulVariant> variants = new ArrayList<>();
    final MatmulVariant ours = rank.kernels().kernelOf(matrix, tokens);
    variants.add(ours);
    final boolean hasWgmma = rank.kernels().canPack();
    for (MatmulVariant other :
        MatmulVariant.candidates(
            matrix.type(), matrix.rows(), matrix.columns(), tokens, hasWgmma)) {
      if (!other.equals(ours)) variants.add(other);
    }
    final var entries = variants.stream().map(each -> entry(product, each, tokens)).toList();
    final String what =
        "%s %d x %d, %d".formatted(product.name, matrix.rows(), matrix.columns(), tokens);
    final Contest.Result result = new Contest(rounds).run(what, entries);
    final Case of = new Case(matrix.rows(), matrix.columns(), tokens);
    fastest.put(of, variants.get(result.fastest()));
    fastestOfSameBits.put(of, variants.get(result.sameBits()));
    return result.price();
  }

  private Contest.Entry entry(Product product, MatmulVariant variant, int tokens) {
    final Runnable work =
        () -> {
          for (CudaMatrix each : product.matrices) {
            rank.kernels()
                .product(variant, each, product.x, product.out, each.rows(), tokens, product.adds);
          }
        };
    return new Contest.Entry(
        variant.title(),
        rank.kernels().hasFamilyBits(variant),
        new Contest.Recorded(rank.stream(), product.matrices.size(), work));
  }

  /** The fastest that were found for so many tokens; what was not measured stays as it is. */
  StepVariant fastest(int tokens) {
    return new StepVariant(0, choice(fastest), normThreads.getOrDefault(tokens, 0));
  }

  /** The same of those whose bits are the promised ones. */
  StepVariant fastestOfSameBits() {
    return new StepVariant(0, choice(fastestOfSameBits), 0);
  }

  private static MatmulVariant.Choice choice(Map<Case, MatmulVariant> from) {
    return (matrix, tokens) -> from.get(new Case(matrix.rows(), matrix.columns(), tokens));
  }
}
