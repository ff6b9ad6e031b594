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
  /** Of weights that a measurement goes through: more than caches hold. */
  private static final long BYTES_MIN = 256L << 20;

  private static final byte SMALL = 0x3C; // Twice: about 2^-6 as bf16.

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
  private static final int[] NORM_THREADS = {0, 512, 1024};

  private final Map<Case, MatmulVariant> fastest = new HashMap<>();
  private final Map<Case, MatmulVariant> fastestOfSameBits = new HashMap<>();
  private final Map<Integer, Integer> normThreads = new HashMap<>(); // By tokens.

  /**
   * @param tokensMax that will be measured
   */
  ProductPrices(CudaRank rank, int tokensMax, int rounds) {
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
  }

  /**
   * A layer's norm, each of its products, and the head's as long as a step could want so many
   * logits.
   */
  List<Price> measure(int tokens) {
    rank.driver().attach();
    final List<Price> prices = new ArrayList<>();
    prices.add(measureNorm(tokens));
    for (Product product : products(tokens)) prices.add(measure(product, tokens));
    return prices;
  }

  /** Layer by layer, of the same rows, as they lie in caches in a step. */
  private Price measureNorm(int tokens) {
    final Activations rows = rank.rows();
    final int hidden = config.hiddenSize();
    rank.stream().fill(rows.x(), SMALL, (long) tokens * hidden * Float.BYTES);
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
      entries.add(new Contest.Recorded(rank.stream(), name, threads == 0, layers.size(), work));
    }
    final String what = "norm %d, %d".formatted(hidden, tokens);
    final Contest.Result result = new Contest(rounds).run(what, entries);
    normThreads.put(tokens, NORM_THREADS[result.fastest()]);
    return result.price();
  }

  private List<Product> products(int tokens) {
    final Activations rows = rank.rows();
    fill(rows.normed(), tokens, config.hiddenSize());
    fill(rows.attended(), tokens, config.querySize());
    fill(rows.gated(), tokens, config.intermediateSize());
    final List<Product> products = new ArrayList<>();
    products.add(
        new Product(
            "q, k, v",
            matrices(layer -> layer.queryKeyValue().parts().getFirst().matrix()),
            rows.normed(),
            rows.queryKeyValue(),
            false));
    products.add(
        new Product(
            "attention out",
            matrices(CudaWeights.Layer::attentionOutput),
            rows.attended(),
            rows.x(),
            true));
    products.add(
        new Product(
            "gate, up",
            matrices(layer -> layer.gateUp().parts().getFirst().matrix()),
            rows.normed(),
            rows.gateUp(),
            false));
    products.add(
        new Product("down", matrices(CudaWeights.Layer::down), rows.gated(), rows.x(), true));
    if (tokens <= rank.logitsAtOnce()) {
      final List<CudaMatrix> head = List.of(rank.weights().outputHead());
      products.add(new Product("head", head, rows.normed(), rows.logits(), false));
    }
    return products;
  }

  private void fill(long to, int tokens, int columns) {
    rank.stream().fill(to, SMALL, (long) tokens * columns * Short.BYTES);
  }

  private List<CudaMatrix> matrices(Function<CudaWeights.Layer, CudaMatrix> of) {
    final List<CudaMatrix> all = rank.weights().layers().stream().map(of).toList();
    final CudaMatrix one = all.getFirst();
    final long bytes = MatmulShape.repackedBytes(one.type(), one.rows(), one.columns());
    return all.subList(0, Math.clamp(Math.ceilDiv(BYTES_MIN, bytes), 1, all.size()));
  }

  private Price measure(Product product, int tokens) {
    final CudaMatrix matrix = product.first();
    final List<MatmulVariant> variants = new ArrayList<>();
    final MatmulVariant ours = rank.kernels().family(matrix, tokens);
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
    return new Contest.Recorded(
        rank.stream(),
        variant.title(),
        rank.kernels().hasFamilyBits(variant),
        product.matrices.size(),
        () -> {
          for (CudaMatrix each : product.matrices) {
            rank.kernels()
                .product(variant, each, product.x, product.out, each.rows(), tokens, product.adds);
          }
        });
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
