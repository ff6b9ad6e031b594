package dev.stator.device.cuda;

import dev.stator.device.Fingerprint;
import dev.stator.device.MemoryPlan;
import dev.stator.device.StepInput;
import dev.stator.device.StepOutput;
import dev.stator.device.StepPlan;
import dev.stator.kv.KvLayout;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelConfig;
import dev.stator.model.ModelWeights;
import java.lang.foreign.Arena;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One GPU with a model's weights or a part of them, its KV blocks, and what a step needs. {@link
 * #takePool} makes it ready.
 *
 * <p><b>Threads:</b> the driver's. <b>Ownership:</b> of nothing; the driver's memory ends with the
 * driver.
 */
final class CudaRank {
  private static final Logger LOG = LoggerFactory.getLogger(CudaRank.class);

  /** Rows of a step whose logits are computed at a time. */
  static final int LOGITS_ROWS_MAX = 256;

  private final Shard shard;
  private final ModelConfig config;
  private final CudaDeviceSettings settings;
  private final Driver driver;
  private final DeviceMemory memory;
  private final Driver.Stream stream;
  private final KvLayout layout;
  private final long freeBytes;
  private final Kernels kernels;
  private final CudaWeights weights;
  private final String fingerprint;
  private final Activations rows;
  private final CudaMixture mixture; // Null where each layer is one dense network.
  private final HostRows results;
  private final BestTokens best;
  private final AttentionShape shape;
  private final long partials;
  private final RotaryTables angles;
  private final RankSums sums; // Null when there is one rank.

  private int blockCount;
  private long pool;
  private CudaStep step;
  private PagedAttention attention;
  private CudaForward forward;
  private boolean isBestKnown; // Of all rows of the last step.

  /**
   * Takes all memory but the KV blocks', and brings the part's weights there.
   *
   * @param weights the whole model's
   * @param contextLength the longest sequence
   * @param driver attached to the calling thread
   */
  CudaRank(
      Shard shard,
      ModelWeights weights,
      int contextLength,
      CudaDeviceSettings settings,
      Driver driver) {
    this.shard = shard;
    this.config = shard.config();
    this.settings = settings;
    this.driver = driver;
    layout = layout(config);
    memory = new DeviceMemory(driver);
    stream = driver.newStream();
    freeBytes = driver.freeBytes();
    kernels = new Kernels(driver, stream);
    final Fingerprint print = new Fingerprint();
    this.weights = load(weights, print);
    fingerprint = print.of(config, layout.type(), kernels.family());
    final int rowsMax = settings.stepTokensMax();
    rows = Activations.take(memory, config, rowsMax, logitsRowsMax());
    if (settings.mayUseWgmma()) useWgmma(rowsMax);
    mixture =
        config.feedForward().experts() == null
            ? null
            : new CudaMixture(config, memory, kernels, rows, rowsMax);
    results = new HostRows(driver, stream, logitsRowsMax(), config.vocabularySize());
    best = new BestTokens(driver, kernels, memory, logitsRowsMax());
    shape = shape();
    partials = memory.take("attention workspace", settings.attentionBytes());
    angles = new RotaryTables(config, contextLength, memory, driver, stream);
    sums = shard.degree() == 1 ? null : new RankSums(driver, kernels, memory, shard, rowsMax);
  }

  /** How a model's, or a part's, blocks lie on GPUs. */
  static KvLayout layout(ModelConfig config) {
    return new KvLayout(
        config.layerCount(),
        config.keyValueHeadCount(),
        config.headSize(),
        KvLayout.KvType.BF16,
        CudaDevice.BLOCK_SIZE);
  }

  /** The longest sequence of a model that is served. */
  static int contextLength(CudaDeviceSettings settings, LoadedModel model) {
    final int own = model.config().contextLength();
    return settings.contextLength() == 0 ? own : Math.min(settings.contextLength(), own);
  }

  private CudaWeights load(ModelWeights whole, Fingerprint print) {
    try (WeightUpload upload =
        new WeightUpload(driver, stream, kernels, memory, settings.stagingBytes(), print)) {
      return CudaWeights.load(shard, whole, upload);
    }
  }

  /** Where the device has it, and it gives the same bits. */
  private void useWgmma(int tokensMax) {
    if (!MatmulShape.suitsWgmma(tokensMax) || !WgmmaProbe.hasWgmma(driver)) return;
    final boolean isSame = WgmmaProbe.givesTheSameBits(driver, kernels);
    LOG.info(
        "{}: products of prompts run on {}",
        driver.title(),
        isSame ? "wgmma, whose bits are mma's" : "mma, because wgmma gives other bits");
    if (!isSame) return;
    final int widest =
        Math.max(Activations.gatedSize(config), Math.max(config.hiddenSize(), config.querySize()));
    final String what = "packed inputs for " + tokensMax + " tokens a step";
    kernels.useWgmma(memory.take(what, MatmulShape.packedBytes(widest, tokensMax)));
  }

  private int logitsRowsMax() {
    return Math.min(settings.stepTokensMax(), LOGITS_ROWS_MAX);
  }

  private AttentionShape shape() {
    return new AttentionShape(
        config.headCount(),
        config.keyValueHeadCount(),
        config.headSize(),
        driver.sharedBytesMax(),
        settings.attentionBytes());
  }

  /**
   * KV blocks that the settings ask for, or that fit beside one for padding.
   *
   * @throws IllegalArgumentException when none do
   */
  int blocksThatFit() {
    if (settings.blockCount() > 0) return settings.blockCount();
    final long bytes =
        settings.kvBytes() == CudaDeviceSettings.KV_BYTES_AUTO
            ? settings.room(driver.totalBytes(), freeBytes) - memory.plan().totalBytes()
            : settings.kvBytes() / shard.degree();
    final long count = bytes / layout.blockBytes() - 1;
    if (count < 1) {
      throw new IllegalArgumentException(
          "%d bytes of device memory are left for KV blocks of %d bytes, expected two at least: %s"
              .formatted(
                  bytes, layout.blockBytes(), "see stator.device.cuda.kv-bytes and memory-share"));
    }
    return (int) Math.min(count, Integer.MAX_VALUE);
  }

  /** Takes memory for so many blocks, and one more, which is the padding's. */
  void takePool(int blocks) {
    blockCount = blocks;
    step = new CudaStep(driver, settings.stepTokensMax(), shape, settings.stepTokensMax(), blocks);
    final String what = "KV pool: %d blocks of %d bytes, bf16".formatted(blocks, blockBytes());
    pool = memory.take(what, (blocks + 1) * blockBytes());
    attention =
        new PagedAttention(
            config, layout, kernels, attentionKernels(), rows, angles, pool, partials);
    forward = new CudaForward(config, weights, kernels, rows, attention, mixture);
  }

  private AttentionKernels attentionKernels() {
    return new AttentionKernels(
        driver, config.headCount(), config.keyValueHeadCount(), config.headSize(), Arena.ofAuto());
  }

  /** From the next step on it is computed so; for measurements. */
  void vary(StepVariant variant) {
    step.use(variant.split() == 0 ? shape : shape.free(variant.split()));
    kernels.vary(variant);
  }

  Kernels kernels() {
    return kernels;
  }

  CudaWeights weights() {
    return weights;
  }

  Activations rows() {
    return rows;
  }

  Shard shard() {
    return shard;
  }

  Driver driver() {
    return driver;
  }

  Driver.Stream stream() {
    return stream;
  }

  /** Of the blocks as they lie here. */
  KvLayout layout() {
    return layout;
  }

  int blockCount() {
    return blockCount;
  }

  private long blockBytes() {
    return layout.blockBytes();
  }

  /** Where block 0 lies; the others follow. */
  long pool() {
    return pool;
  }

  /** Of this part. */
  String fingerprint() {
    return fingerprint;
  }

  /** Names the programs that it runs. */
  String family() {
    return kernels.family();
  }

  MemoryPlan memoryPlan() {
    return memory.plan();
  }

  RankSums sums() {
    return sums;
  }

  CudaStep step() {
    return step;
  }

  CudaForward forward() {
    return forward;
  }

  /** Makes positions ready, and sends a checked step. */
  void upload(StepInput input, int paddedRows) {
    attention.prepare(contextOf(input));
    step.upload(input.slices(), paddedRows, stream);
  }

  private static int contextOf(StepInput input) {
    int length = 0;
    for (StepInput.Slice slice : input.slices()) {
      length = Math.max(length, slice.start() + slice.tokenCount());
    }
    return length;
  }

  /** Finds the likeliest tokens of {@code count} rows of logits that are computed. */
  void findBest(int count) {
    best.find(rows.logits(), config.vocabularySize(), count);
  }

  /** Whether a row of the step asks for its likeliest token alone, and all rows come at once. */
  boolean wantsBest() {
    final StepPlan plan = step.plan();
    if (plan.logitsCount() > logitsAtOnce()) return false;
    return IntStream.range(0, plan.logitsCount()).anyMatch(plan::bestSuffices);
  }

  /** Waits for logits, which become the results from {@code first} on. */
  void readLogits(int first, int count) {
    isBestKnown = false;
    results.read(rows.logits(), first, count);
  }

  /**
   * Waits for the likeliest tokens of the step's rows, which were found, and for the logits of
   * those that need more; all others' stay where they are.
   */
  void readBest(int count) {
    isBestKnown = true;
    best.fetch(count);
    final StepPlan plan = step.plan();
    for (int row = 0; row < count; ) {
      int end = row;
      while (end < count && !plan.bestSuffices(end)) end++;
      if (end > row) results.read(logitsOf(row), row, end - row);
      row = end + 1;
    }
    stream.synchronize();
  }

  private long logitsOf(int row) {
    return rows.logits() + (long) row * config.vocabularySize() * Float.BYTES;
  }

  /** Rows of logits that are computed at a time. */
  int logitsAtOnce() {
    return results.rowsMax();
  }

  /** Logits of this part's entries, of a row of the last step. */
  float[] logits(int row) {
    if (isBestKnown && step.plan().bestSuffices(row)) results.read(logitsOf(row), row, 1);
    return results.row(row);
  }

  /** As {@link StepOutput#best}. */
  int best(int row) {
    if (isBestKnown) return best.of(row);
    return StepOutput.best(results.row(row));
  }

  /** Gives hidden states to those who want them, in the step's order. */
  void poolStates() {
    final StepPlan plan = step.plan();
    final int first = plan.logitsCount();
    final int count = plan.wantedCount() - first;
    if (count == 0) return;
    forward.states(step, first, count);
    final float[] states = results.floats(rows.projected(), count * config.hiddenSize());
    int row = 0;
    for (int i = 0; i < plan.wantedCount(); i++) {
      final StepInput.Pooled pooled = plan.pooled(i);
      if (pooled != null) pooled.add(states, row++ * config.hiddenSize());
    }
  }
}
