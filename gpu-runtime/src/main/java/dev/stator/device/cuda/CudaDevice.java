package dev.stator.device.cuda;

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

  /** Sequences whose longest context is there room for in attention's workspace. */
  private static final int PARTIAL_SEQUENCES = 16;

  private final Driver driver;
  private final ModelConfig config;
  private final int contextLength;
  private final Arena arena = Arena.ofShared();
  private final DeviceMemory memory;
  private final Driver.Stream stream;
  private final StepLimits limits;
  private final KvLayout layout;
  private final int blockCount;
  private final String fingerprint;
  private final CudaStep step;
  private final CudaForward forward;
  private final PagedAttention attention;
  private final Staging staging;
  private final DecodeGraphs graphs; // Null when steps are not recorded.
  private final HostRows results;
  private Thread attached;

  private CudaDevice(LoadedModel model, CudaDeviceSettings settings, Driver driver) {
    this.driver = driver;
    this.attached = Thread.currentThread();
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
    final long free = driver.freeBytes();
    final Kernels kernels = new Kernels(driver, stream, arena);
    final Fingerprint weightsPrint = new Fingerprint();
    final CudaWeights weights;
    try (WeightUpload upload =
        new WeightUpload(driver, stream, kernels, memory, settings.stagingBytes(), weightsPrint)) {
      weights = CudaWeights.load(config, model.weights(), upload);
    }
    fingerprint = weightsPrint.of(config, layout.type(), Kernels.FAMILY);
    final int rowsMax = settings.stepTokensMax();
    final int logitsMax = Math.min(rowsMax, LOGITS_ROWS_MAX);
    final Activations rows = Activations.take(memory, config, rowsMax, logitsMax);
    final AttentionShape shape = attentionShape();
    final long partials = memory.take("attention workspace", partialBytes(shape));
    staging = new Staging(driver, stream, CudaDeviceSettings.STAGING_BYTES_MIN);
    results = new HostRows(driver, stream, logitsMax, config.vocabularySize());
    blockCount = blockCount(settings, free);
    final long pool =
        memory.take(
            "KV pool: " + blockCount + " blocks of " + layout.blockBytes() + " bytes, bf16",
            (blockCount + 1) * layout.blockBytes()); // The last is the padding's.
    limits =
        new StepLimits(
            rowsMax,
            contextLength,
            blockCount,
            BLOCK_SIZE,
            config.vocabularySize(),
            config.hiddenSize());
    step = new CudaStep(driver, rowsMax, shape, rowsMax, blockCount);
    attention =
        new PagedAttention(
            config,
            layout,
            kernels,
            new AttentionKernels(
                driver, config.headCount(), config.keyValueHeadCount(), config.headSize(), arena),
            stream,
            rows,
            memory,
            contextLength,
            staging,
            pool,
            partials);
    forward = new CudaForward(config, weights, kernels, rows, attention);
    results.readFrom(rows.logits(), rows.projected());
    graphs = settings.usesGraphs() ? new DecodeGraphs(stream) : null;
  }
}
