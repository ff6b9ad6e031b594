package dev.stator.device.cuda;

import dev.stator.kv.KvLayout;
import dev.stator.model.ModelConfig;

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
  private final Activations rows;
  private final RotaryTables angles;
  private final long pool;
  private final long partials;

  /**
   * @param pool address of KV block 0
   * @param partials address of attention's workspace
   */
  PagedAttention(
      ModelConfig config,
      KvLayout layout,
      Kernels kernels,
      AttentionKernels attention,
      Activations rows,
      RotaryTables angles,
      long pool,
      long partials) {
    this.config = config;
    this.layout = layout;
    this.kernels = kernels;
    this.attention = attention;
    this.rows = rows;
    this.angles = angles;
    this.pool = pool;
    this.partials = partials;
  }

  /** Makes positions below {@code length} ready. */
  void prepare(int length) {
    angles.prepare(length);
  }

  /** From {@link Activations#queryKeyValue} to {@link Activations#attended}. */
  void run(CudaWeights.Layer layer, int layerIndex, CudaStep step) {
    final boolean isWindowed = config.isWindowed(layerIndex);
    kernels.rotateStore(config, layout, layer, layerIndex, rows, step, angles.of(isWindowed), pool);
    attention.run(
        kernels.stream(),
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
