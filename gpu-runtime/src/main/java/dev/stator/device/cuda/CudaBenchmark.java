package dev.stator.device.cuda;

import dev.stator.device.StepInput;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelConfig;
import dev.stator.model.RopeScaling;
import dev.stator.model.WeightType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Steps of random models on a GPU, each as the engine runs it, the copy of logits included, beside
 * a plain copy of device memory.
 */
public final class CudaBenchmark {
  /** Tokens of context that decoding sequences have. */
  static final int CONTEXT = 64;

  static final int WARM_UPS = 3; // Launches, then a graph that is recorded, then it alone.
  static final byte SMALL = 0x3C; // Of inputs; twice: about 2^-6 as bf16.
  private static final int COPIES = 10;

  /** Of free memory that may be taken by weights, keys and values. */
  private static final double MEMORY_SHARE = 0.8;

  /** Enough for all splits that prices are measured of. */
  private static final long ATTENTION_BYTES = 128 << 20;

  /**
   * What prices of the same bytes are measured of.
   *
   * @param batches of decoding sequences
   * @param contexts that these have, for attention alone
   * @param stepContexts for whole steps: the first that the device has memory for
   * @param tokens of products
   * @param prompts that attention computes alone
   * @param bytesMin of weights, or of keys and values, that a measurement goes through: more than
   *     caches hold
   */
  record Loads(
      List<Integer> batches,
      List<Integer> contexts,
      List<Integer> stepContexts,
      List<Integer> tokens,
      List<Integer> prompts,
      long bytesMin) {
    static final Loads USUAL =
        new Loads(
            List.of(1, 8, 64),
            List.of(512, 4096, 16_384),
            List.of(4096, 512, CONTEXT),
            List.of(1, 8, 16, 32, 64, 2048),
            List.of(2048, 8192),
            256L << 20);

    private int batchMax() {
      return Collections.max(batches);
    }
  }

  /** Shapes of well-known models. */
  public enum Shape {
    LLAMA_1B("1B", 16, 2048, 8192, 32, 8, 64),
    LLAMA_8B("8B", 32, 4096, 14_336, 32, 8, 128);

    private static final int VOCABULARY = 128_256;
    private final String title;
    private final ModelConfig config;

    Shape(
        String title,
        int layers,
        int hidden,
        int intermediate,
        int heads,
        int keyValueHeads,
        int headSize) {
      this.title = title;
      config =
          config(layers, hidden, intermediate, heads, keyValueHeads, headSize, VOCABULARY, 1 << 13);
    }

    public String title() {
      return title;
    }
  }

  /**
   * One kind of step.
   *
   * @param what such as {@code decode of 64}
   * @param tokens of a step
   * @param seconds of a step, the median
   * @param bytesPerSecond of the weights, which each step reads once
   * @param operationsPerSecond floating-point, two a weight and token, attention's included
   */
  public record Figure(
      String what, int tokens, double seconds, double bytesPerSecond, double operationsPerSecond) {
    public double tokensPerSecond() {
      return tokens / seconds;
    }
  }

  private final Supplier<Driver> drivers;
  private final int rounds;

  CudaBenchmark(Supplier<Driver> drivers, int rounds) {
    this.drivers = drivers;
    this.rounds = rounds;
  }

  /**
   * @param rounds steps of each kind that are measured
   */
  public CudaBenchmark(CudaGpu gpu, int rounds) {
    this(() -> Cuda.open(gpu.index()), rounds);
  }

  static ModelConfig config(
      int layers,
      int hidden,
      int intermediate,
      int heads,
      int keyValueHeads,
      int headSize,
      int vocabulary,
      int context) {
    return new ModelConfig(
        "llama",
        layers,
        hidden,
        intermediate,
        heads,
        keyValueHeads,
        headSize,
        vocabulary,
        context,
        1e-5f,
        500_000,
        new RopeScaling.None(),
        ModelConfig.RopeLayout.INTERLEAVED,
        false,
        false,
        true);
  }

  /** Bytes read and written a second by copies of {@code bytes} of device memory. */
  public double copyBytesPerSecond(long bytes) {
    try (Driver driver = drivers.get();
        Driver.Stream stream = driver.newStream()) {
      final long from = driver.allocate(bytes);
      final long to = driver.allocate(bytes);
      stream.fill(from, (byte) 0x5A, bytes);
      stream.copy(to, from, bytes);
      stream.synchronize();
      final double[] seconds = new double[rounds];
      for (int i = 0; i < rounds; i++) {
        final long start = System.nanoTime();
        for (int j = 0; j < COPIES; j++) stream.copy(to, from, bytes);
        stream.synchronize();
        seconds[i] = (System.nanoTime() - start) / 1e9 / COPIES;
      }
      return 2.0 * bytes / median(seconds);
    }
  }

  /**
   * Decodes one sequence and many, and computes a prompt; then measures what the same bytes cost
   * norms, products and whole decode steps.
   *
   * @param type BF16, Q8_0, Q4_K, Q6_K or F8_E4M3
   * @param figures is given each at once, as {@code prices} is
   * @param prices of BF16 and Q4_K, which have kernels that are cut freely
   * @throws CudaException when the device fails
   */
  public void measure(
      Shape shape, WeightType type, Consumer<Figure> figures, Consumer<Price> prices) {
    measure(shape.config, type, 64, 2048, Loads.USUAL, figures, prices);
  }

  void measure(
      ModelConfig config,
      WeightType type,
      int batch,
      int prompt,
      Loads loads,
      Consumer<Figure> figures,
      Consumer<Price> prices) {
    try (LoadedModel model = BenchmarkModel.of(config, type)) {
      final Driver driver = drivers.get();
      final int context = stepContext(driver, config, type, loads);
      final int blocks =
          Math.max(
              Math.max(batch * blocks(CONTEXT), blocks(prompt)),
              loads.batchMax() * blocks(context));
      final CudaDeviceSettings settings = settings(Math.max(batch, prompt), blocks);
      try (CudaDevice device = CudaDevice.create(model, settings, driver)) {
        final Meter meter = new Meter(config, type, device, rounds);
        figures.accept(meter.decode(1));
        figures.accept(meter.decode(batch));
        figures.accept(meter.prefill(prompt));
        figures.accept(meter.prefill(prompt / 4));
        if (MatmulVariant.isFree(type)) prices(device, context, loads, prices);
      }
    }
  }

  private void prices(CudaDevice device, int context, Loads loads, Consumer<Price> prices) {
    final int tokensMax = Collections.max(loads.tokens);
    final var products = new ProductPrices(device.rank(), tokensMax, loads.bytesMin, rounds);
    for (int tokens : loads.tokens) products.measure(tokens).forEach(prices);
    final var steps = new StepPrices(device, products, rounds);
    for (int sequences : loads.batches) prices.accept(steps.decode(sequences, context));
  }

  /** The first context whose keys and values fit beside the weights, or the last. */
  private static int stepContext(Driver driver, ModelConfig config, WeightType type, Loads loads) {
    final long free = (long) (MEMORY_SHARE * driver.freeBytes()) - weightBytes(config, type);
    final long block = CudaRank.layout(config).blockBytes();
    for (int context : loads.stepContexts) {
      if (loads.batchMax() * blocks(context) * block <= free) return context;
    }
    return loads.stepContexts.getLast();
  }

  /** What attention's one split costs, for any type of weights. */
  public void attentionPrices(Shape shape, Consumer<Price> prices) {
    attentionPrices(shape.config, Loads.USUAL, prices);
  }

  void attentionPrices(ModelConfig config, Loads loads, Consumer<Price> prices) {
    try (Driver driver = drivers.get()) {
      final var attention = new AttentionPrices(driver, config, loads.bytesMin, rounds);
      for (int context : loads.contexts) {
        for (int batch : loads.batches) prices.accept(attention.decode(batch, context));
      }
      for (int prompt : loads.prompts) prices.accept(attention.prefill(prompt));
    }
  }

  private static CudaDeviceSettings settings(int stepTokensMax, int blockCount) {
    return new CudaDeviceSettings(
        0,
        CudaDeviceSettings.KV_BYTES_AUTO,
        1,
        blockCount,
        stepTokensMax,
        0,
        128 << 20,
        CudaDeviceSettings.HOST_BLOCKS_MIN,
        0,
        ATTENTION_BYTES,
        true,
        true,
        1);
  }

  private static int blocks(int tokens) {
    return Math.ceilDiv(tokens, CudaDevice.BLOCK_SIZE);
  }

  static double median(double... values) {
    final double[] sorted = values.clone();
    Arrays.sort(sorted);
    return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
  }

  /** Runs steps of one device. */
  private record Meter(ModelConfig config, WeightType type, CudaDevice device, int rounds) {
    Figure decode(int sequences) {
      final List<StepInput.Slice> slices = new ArrayList<>();
      for (int i = 0; i < sequences; i++) {
        final int[] own = new int[blocks(CONTEXT)];
        for (int b = 0; b < own.length; b++) own[b] = i * own.length + b;
        slices.add(new StepInput.Slice(tokens(CONTEXT), CONTEXT - 1, 1, own, 1));
      }
      return figure("decode of " + sequences, new StepInput(slices), sequences, 0);
    }

    Figure prefill(int length) {
      final int[] own = new int[blocks(length)];
      for (int b = 0; b < own.length; b++) own[b] = b;
      final var slice = new StepInput.Slice(tokens(length), 0, length, own, 1);
      final double attention =
          2.0 * length * length * config.querySize() * config.layerCount(); // Half is masked.
      return figure("prefill of " + length, new StepInput(List.of(slice)), 1, attention);
    }

    private Figure figure(String what, StepInput step, int logitsRows, double attention) {
      for (int i = 0; i < WARM_UPS; i++) device.run(step);
      final double[] seconds = new double[rounds];
      for (int i = 0; i < rounds; i++) {
        final long start = System.nanoTime();
        device.run(step);
        seconds[i] = (System.nanoTime() - start) / 1e9;
      }
      final double median = median(seconds);
      final long head = (long) config.vocabularySize() * config.hiddenSize();
      final double operations =
          2.0 * step.tokenCount() * layerWeights() + 2.0 * logitsRows * head + attention;
      return new Figure(
          what, step.tokenCount(), median, weightBytes(config, type) / median, operations / median);
    }

    private int[] tokens(int count) {
      final int[] tokens = new int[count];
      for (int i = 0; i < count; i++) tokens[i] = (i * 31 + 7) % config.vocabularySize();
      return tokens;
    }

    /** Weights of all layers' projections. */
    private long layerWeights() {
      final long attention = 2L * config.querySize() + 2L * config.keyValueSize();
      final long layer = attention + 3L * config.intermediateSize();
      return layer * config.hiddenSize() * config.layerCount();
    }
  }

  /** Bytes that a step reads of projections and output head, laid out for the device. */
  private static long weightBytes(ModelConfig config, WeightType type) {
    final int hidden = config.hiddenSize();
    final int query = config.querySize();
    final int joined = query + 2 * config.keyValueSize();
    final long layer =
        MatmulShape.repackedBytes(type, joined, hidden)
            + MatmulShape.repackedBytes(type, hidden, query)
            + MatmulShape.repackedBytes(type, 2 * config.intermediateSize(), hidden)
            + MatmulShape.repackedBytes(type, hidden, config.intermediateSize());
    final long head = MatmulShape.repackedBytes(type, config.vocabularySize(), hidden);
    return layer * config.layerCount() + head;
  }
}
