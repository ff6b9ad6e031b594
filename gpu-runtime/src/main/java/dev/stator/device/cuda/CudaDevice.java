package dev.stator.device.cuda;

import dev.stator.device.BlockCopies;
import dev.stator.device.Device;
import dev.stator.device.Fingerprint;
import dev.stator.device.MemoryPlan;
import dev.stator.device.StepInput;
import dev.stator.device.StepLimits;
import dev.stator.device.StepOutput;
import dev.stator.device.StepPlan;
import dev.stator.kv.KvLayout;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelConfig;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs steps on an NVIDIA GPU, by the kernels of {@code native-cuda}. What every operation computes
 * stands in {@code gpu-runtime/NUMERICS.md}.
 *
 * <p><b>Threads:</b> as {@link Device} says.
 *
 * <p><b>Ownership:</b> of the driver, and with it of all device memory, until {@link #close}. The
 * model is read while the device is made and not afterwards.
 */
public final class CudaDevice implements Device {
  /** Tokens of a KV block. */
  public static final int BLOCK_SIZE = 16;

  /** Rows of a step whose logits are computed at a time. */
  private static final int LOGITS_ROWS_MAX = 256;

  private final Driver driver;
  private final ModelConfig config;
  private final int contextLength;
  private final DeviceMemory memory;
  private final Driver.Stream stream;
  private final StepLimits limits;
  private final KvLayout layout;
  private final int blockCount;
  private final int hostBlocks;
  private final String fingerprint;
  private final CudaStep step;
  private final CudaForward forward;
  private final PagedAttention attention;
  private final Activations rows;
  private final HostRows results;
  private final DecodeGraphs graphs; // Null when steps are not recorded.
  private final CudaBlockCopies copies;

  private CudaDevice(LoadedModel model, CudaDeviceSettings settings, Driver driver) {
    this.driver = driver;
    contextLength = contextLength(settings, model.config());
    config = model.config().withRopeScalingFor(contextLength);
    layout =
        new KvLayout(
            config.layerCount(),
            config.keyValueHeadCount(),
            config.headSize(),
            KvLayout.KvType.BF16,
            BLOCK_SIZE);
    memory = new DeviceMemory(driver);
    stream = driver.newStream();
    final long freeBytes = driver.freeBytes();
    final Kernels kernels = new Kernels(driver, stream);
    final Fingerprint print = new Fingerprint();
    final CudaWeights weights = load(model, settings, kernels, print);
    fingerprint = print.of(config, layout.type(), kernels.family());
    final int rowsMax = settings.stepTokensMax();
    rows = Activations.take(memory, config, rowsMax, logitsRowsMax(settings));
    results = new HostRows(driver, stream, logitsRowsMax(settings), config.vocabularySize());
    final AttentionShape shape = shape(settings);
    final long partials = memory.take("attention workspace", settings.attentionBytes());
    final var angles = new RotaryTables(config, contextLength, memory, driver, stream);
    blockCount = blockCount(settings, freeBytes);
    step = new CudaStep(driver, rowsMax, shape, rowsMax, blockCount);
    final long pool = memory.take(poolTitle(), (blockCount + 1) * layout.blockBytes());
    attention =
        new PagedAttention(
            config, layout, kernels, attentionKernels(), rows, angles, pool, partials);
    forward = new CudaForward(config, weights, kernels, rows, attention);
    limits =
        new StepLimits(
            rowsMax,
            contextLength,
            blockCount,
            BLOCK_SIZE,
            config.vocabularySize(),
            config.hiddenSize());
    graphs = settings.usesGraphs() ? new DecodeGraphs(stream) : null;
    copies =
        new CudaBlockCopies(driver, pool, layout.blockBytes(), blockCount, settings.hostBlocks());
    hostBlocks = settings.hostBlocks();
  }

  /**
   * Takes all memory that steps will need, and brings the model's weights there.
   *
   * @param driver the device's, closed with it, and when it cannot be made
   * @throws dev.stator.model.ModelFormatException when a weight cannot be served
   * @throws IllegalArgumentException when a setting is out of range for this model
   * @throws OutOfMemoryError when the device has not enough memory; says for what
   */
  static CudaDevice create(LoadedModel model, CudaDeviceSettings settings, Driver driver) {
    try {
      requireSupported(model.config());
      return new CudaDevice(model, settings, driver);
    } catch (RuntimeException | Error e) {
      driver.close();
      throw e;
    }
  }

  /** Why there are no kernels for a model; {@code null} when there are. */
  public static String obstacle(ModelConfig config) {
    if (config.feedForward().experts() != null) return "mixtures of experts have no CUDA kernels";
    if (!AttentionShape.HEAD_SIZES.contains(config.headSize())) {
      return "attention on CUDA devices takes heads of %s values, this model's have %d"
          .formatted(AttentionShape.HEAD_SIZES, config.headSize());
    }
    for (int columns :
        new int[] {config.hiddenSize(), config.querySize(), config.intermediateSize()}) {
      if (columns % MatmulShape.COLUMNS_MULTIPLE != 0) {
        return "products on CUDA devices take multiples of %d inputs, this model's have %d"
            .formatted(MatmulShape.COLUMNS_MULTIPLE, columns);
      }
    }
    return null;
  }

  private static void requireSupported(ModelConfig config) {
    final String obstacle = obstacle(config);
    if (obstacle != null) throw new IllegalArgumentException(obstacle);
  }

  private CudaWeights load(
      LoadedModel model, CudaDeviceSettings settings, Kernels kernels, Fingerprint print) {
    try (WeightUpload upload =
        new WeightUpload(driver, stream, kernels, memory, settings.stagingBytes(), print)) {
      return CudaWeights.load(config, model.weights(), upload);
    }
  }

  private static int logitsRowsMax(CudaDeviceSettings settings) {
    return Math.min(settings.stepTokensMax(), LOGITS_ROWS_MAX);
  }

  private AttentionShape shape(CudaDeviceSettings settings) {
    return new AttentionShape(
        config.headCount(),
        config.keyValueHeadCount(),
        config.headSize(),
        driver.sharedBytesMax(),
        settings.attentionBytes());
  }

  private AttentionKernels attentionKernels() {
    return new AttentionKernels(
        driver, config.headCount(), config.keyValueHeadCount(), config.headSize(), Arena.ofAuto());
  }

  private static int contextLength(CudaDeviceSettings settings, ModelConfig config) {
    return settings.contextLength() == 0
        ? config.contextLength()
        : Math.min(settings.contextLength(), config.contextLength());
  }

  /** The last block of the pool, beyond these, is the padding's. */
  private int blockCount(CudaDeviceSettings settings, long freeBytes) {
    if (settings.blockCount() > 0) return settings.blockCount();
    final long bytes =
        settings.kvBytes() == CudaDeviceSettings.KV_BYTES_AUTO
            ? (long) (freeBytes * settings.memoryShare()) - memory.plan().totalBytes()
            : settings.kvBytes();
    final long count = bytes / layout.blockBytes() - 1;
    if (count < 1) {
      throw new IllegalArgumentException(
          "%d bytes of device memory are left for KV blocks of %d bytes, expected two at least: %s"
              .formatted(
                  bytes, layout.blockBytes(), "see stator.device.cuda.kv-bytes and memory-share"));
    }
    return (int) Math.min(count, Integer.MAX_VALUE);
  }

  private String poolTitle() {
    return "KV pool: " + blockCount + " blocks of " + layout.blockBytes() + " bytes, bf16";
  }

  @Override
  public String description() {
    return driver.title();
  }

  @Override
  public String numericsFingerprint() {
    return fingerprint;
  }

  @Override
  public KvLayout kvLayout() {
    return layout;
  }

  @Override
  public int blockCount() {
    return blockCount;
  }

  @Override
  public int vocabularySize() {
    return config.vocabularySize();
  }

  @Override
  public int embeddingSize() {
    return config.hiddenSize();
  }

  @Override
  public int contextLength() {
    return contextLength;
  }

  @Override
  public MemoryPlan memoryPlan() {
    final List<MemoryPlan.Term> terms = new ArrayList<>(memory.plan().terms());
    terms.add(
        new MemoryPlan.Term(
            "page-locked host memory: copies of %d blocks".formatted(hostBlocks),
            hostBlocks * layout.blockBytes()));
    return new MemoryPlan(terms);
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException when a slice is malformed or outside the device's limits;
   *     nothing is computed then
   * @throws CudaException when the device fails; what the step computed is lost
   */
  @Override
  public StepOutput run(StepInput input) {
    limits.check(input);
    driver.attach();
    attention.prepare(contextOf(input));
    if (graphs != null && isDecode(input)) runDecode(input);
    else runStep(input);
    final StepPlan plan = step.plan();
    final int sliceCount = input.slices().size();
    return (slice, row) -> {
      if (slice < 0 || slice >= sliceCount || plan.logitsRow(slice, row) < 0) {
        throw new IllegalArgumentException("slice " + slice + " wanted no logits in row " + row);
      }
      return results.row(plan.logitsRow(slice, row));
    };
  }

  private static int contextOf(StepInput input) {
    int length = 0;
    for (StepInput.Slice slice : input.slices()) {
      length = Math.max(length, slice.start() + slice.tokenCount());
    }
    return length;
  }

  /** Whether each sequence decodes one token. */
  private static boolean isDecode(StepInput input) {
    if (input.slices().size() > LOGITS_ROWS_MAX) return false;
    for (StepInput.Slice slice : input.slices()) {
      if (slice.tokenCount() != 1 || slice.logitsCount() != 1) return false;
    }
    return true;
  }

  private void runDecode(StepInput input) {
    final int count = input.slices().size();
    final int padded = Math.min(limits.tokensMax(), paddedRows(count));
    step.upload(input.slices(), padded, stream);
    final Runnable work =
        () -> {
          forward.layers(step);
          forward.logits(step, 0, padded);
        };
    if (step.attention().prefill() == null) graphs.run(keyOf(step), work);
    else work.run(); // Attention's workspace is full: a grid of this step's own.
    results.read(rows.logits(), 0, count);
  }

  private static DecodeGraphs.Key keyOf(CudaStep step) {
    return new DecodeGraphs.Key(step.rowCount(), step.attention().bucket(), step.generation());
  }

  /** Few counts, so that few graphs are recorded: powers of two, and half way between them. */
  private static int paddedRows(int count) {
    final int power = Integer.highestOneBit(count);
    if (count == power) return count;
    return count <= power + power / 2 ? power + power / 2 : 2 * power;
  }

  private void runStep(StepInput input) {
    step.upload(input.slices(), input.tokenCount(), stream);
    forward.layers(step);
    final int logitsCount = step.plan().logitsCount();
    for (int first = 0; first < logitsCount; first += results.rowsMax()) {
      final int count = Math.min(results.rowsMax(), logitsCount - first);
      forward.logits(step, first, count);
      results.read(rows.logits(), first, count);
    }
    pool();
    if (logitsCount == 0) stream.synchronize();
  }

  /** Gives hidden states to those who want them, in the step's order. */
  private void pool() {
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

  @Override
  public MemorySegment block(int blockIndex) {
    throw new UnsupportedOperationException("the CPU does not address a CUDA device's blocks");
  }

  @Override
  public BlockCopies blockCopies() {
    return copies;
  }

  @Override
  public void close() {
    driver.close();
  }
}
