package dev.stator.device.cuda;

import dev.stator.device.RotaryAngles;
import dev.stator.kv.KvLayout;
import dev.stator.model.AttentionVariant;
import dev.stator.model.ModelConfig;
import dev.stator.model.RopeScaling;

/**
 * A layer's attention over KV blocks: rotates queries and keys, stores keys and values, attends.
 *
 * <p><b>Threads:</b> the driver's.
 */
final class PagedAttention {
  private final ModelConfig config;
  private final KvLayout layout;
  private final Kernels kernels;
  private final AttentionKernels attention;
  private final Driver.Stream stream;
  private final Activations rows;
  private final long pool;
  private final long partials;
  private final RotaryTable angles;
  private final RotaryTable windowAngles; // Of layers with a sliding window; often the same.

  /**
   * @param pool address of KV block 0
   * @param partials address of attention's workspace
   */
  PagedAttention(
      ModelConfig config,
      KvLayout layout,
      Kernels kernels,
      AttentionKernels attention,
      Driver.Stream stream,
      Activations rows,
      DeviceMemory memory,
      int contextLength,
      Staging staging,
      long pool,
      long partials) {
    this.config = config;
    this.layout = layout;
    this.kernels = kernels;
    this.attention = attention;
    this.stream = stream;
    this.rows = rows;
    this.pool = pool;
    this.partials = partials;
    angles =
        new RotaryTable(
            new RotaryAngles(
                config.rotatedSize(), config.ropeTheta(), config.ropeScaling(), contextLength),
            contextLength,
            memory,
            staging);
    final AttentionVariant.Window window = config.attention().window();
    windowAngles =
        window == null || window.ropeTheta() == 0
            ? angles
            : new RotaryTable(
                new RotaryAngles(
                    config.rotatedSize(),
                    window.ropeTheta(),
                    new RopeScaling.None(),
                    contextLength),
                contextLength,
                memory,
                staging);
  }

  /** Makes positions below {@code length} ready. */
  void prepare(int length) {
    angles.prepare(length);
    if (windowAngles != angles) windowAngles.prepare(length);
  }

  /** From {@link Activations#queryKeyValue} to {@link Activations#attended}. */
  void run(CudaWeights.Layer layer, int layerIndex, CudaStep step) {
    final boolean isWindowed = config.isWindowed(layerIndex);
    final RotaryTable table = isWindowed ? windowAngles : angles;
    kernels.rotateStore(config, layer, rows, step, table, pool, layout, layerIndex);
    attention.run(
        stream,
        step.attention(),
        new AttentionKernels.Memory(
            rows.query(),
            pool,
            step.blocks(),
            step.attentionLists(),
            rows.attended(),
            partials,
            Math.toIntExact(layout.blockBytes()),
            config.attentionScale(),
            config.attention().scoreCap()),
        Math.toIntExact(layout.keyOffset(layerIndex, 0)),
        isWindowed ? config.attention().window().length() : Integer.MAX_VALUE);
  }
}
