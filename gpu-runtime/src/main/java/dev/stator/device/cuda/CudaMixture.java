package dev.stator.device.cuda;

import dev.stator.model.FeedForwardVariant;
import dev.stator.model.ModelConfig;

/**
 * Mixtures of experts, as launches on a stream. A token's choices have slots, expert after expert;
 * an expert's matrices run over its slots in tiles that the device makes a list of, so nothing here
 * waits for which experts were chosen.
 *
 * <pre>
 *   chosen, shares = route(router(x))                               [tokens][used]
 *   slots, sources, tiles = groupExperts(chosen)
 *   outputs = down(activation(gate(x)) * up(x))                     [slots], x being the slot's token's
 *   out (+)= sum of share * outputs (+ sigmoid(sharedGate(x)) * shared(x))
 * </pre>
 *
 * <p><b>Threads:</b> the driver's. <b>Ownership:</b> the workspace is the {@link DeviceMemory}'s.
 */
final class CudaMixture {
  private static final int TILE_BYTES = 4 * Integer.BYTES;

  private final FeedForwardVariant variant;
  private final FeedForwardVariant.Experts shape;
  private final int hidden;
  private final Kernels kernels;
  private final Activations rows;

  private final long logits; // float32 [tokens][experts]
  private final long chosen; // int32 [tokens][used]
  private final long shares; // float32 [tokens][used]
  private final long slots; // int32 [tokens][used]
  private final long sources; // int32 [slots]
  private final long tiles; // int32 [tiles][4]
  private final long wide; // float32 [slots][gate | up], then [slots][hidden]
  private final long gated; // bf16 [slots][intermediate]
  private final long sharedGates; // float32 [tokens]

  /**
   * @param rows whose {@code gateUp}, {@code gated} and {@code projected} a shared expert uses
   * @throws IllegalArgumentException when kernels cannot count a step's activations
   */
  CudaMixture(
      ModelConfig config, DeviceMemory memory, Kernels kernels, Activations rows, int tokensMax) {
    variant = config.feedForward();
    shape = variant.experts();
    hidden = config.hiddenSize();
    this.kernels = kernels;
    this.rows = rows;
    final String what = "workspace for " + tokensMax + " tokens' experts a step";
    final int choices = Math.multiplyExact(tokensMax, shape.usedCount());
    final int widest = Math.max(2 * shape.intermediateSize(), hidden);
    MatmulShape.requireCountable(widest, choices);
    logits = memory.take(what, (long) tokensMax * shape.count() * Float.BYTES);
    chosen = memory.take(what, (long) choices * Integer.BYTES);
    shares = memory.take(what, (long) choices * Float.BYTES);
    slots = memory.take(what, (long) choices * Integer.BYTES);
    sources = memory.take(what, (long) choices * Integer.BYTES);
    tiles = memory.take(what, (long) MatmulShape.tilesMax(choices, shape.count()) * TILE_BYTES);
    wide = memory.take(what, (long) choices * widest * Float.BYTES);
    gated = memory.take(what, (long) choices * shape.intermediateSize() * Short.BYTES);
    sharedGates = memory.take(what, (long) tokensMax * Float.BYTES);
  }

  /** Bytes of one token's choices; 0 where there are no experts. */
  static long rowBytes(ModelConfig config) {
    final FeedForwardVariant.Experts shape = config.feedForward().experts();
    if (shape == null) return 0;
    final long widest = Math.max(2 * shape.intermediateSize(), config.hiddenSize());
    final long choice = widest * Float.BYTES + (long) shape.intermediateSize() * Short.BYTES;
    return shape.usedCount() * choice + (long) shape.count() * Float.BYTES;
  }

  /**
   * @param x bf16 [tokens][hidden]
   * @param out float32 [tokens][hidden]; may be {@code projected} of the activations
   * @param adds whether to what {@code out} holds
   */
  void run(CudaExperts weights, long x, int tokens, long out, boolean adds) {
    final int choices = tokens * shape.usedCount();
    kernels.product(weights.router(), x, logits, shape.count(), tokens, false);
    kernels.route(shape, logits, chosen, shares, tokens);
    kernels.groupExperts(shape, chosen, slots, sources, tiles, tokens);
    kernels.expertProduct(weights.gateUp(), x, sources, tiles, wide, choices, shape.count());
    kernels.gated(variant.activation(), wide, gated, shape.intermediateSize(), choices);
    kernels.expertProduct(weights.down(), gated, 0, tiles, wide, choices, shape.count());
    if (weights.shared() != null) shared(weights.shared(), x, tokens);
    kernels.combineExperts(
        wide,
        slots,
        shares,
        weights.shared() == null ? 0 : rows.projected(),
        sharedGates,
        out,
        hidden,
        shape.usedCount(),
        tokens,
        adds);
  }

  private void shared(CudaExperts.Shared weights, long x, int tokens) {
    kernels.product(weights.gate(), x, sharedGates, 1, tokens, false);
    kernels.products(weights.gateUp(), x, rows.gateUp(), tokens);
    kernels.gated(variant.activation(), rows.gateUp(), rows.gated(), shape.sharedSize(), tokens);
    kernels.product(weights.down(), rows.gated(), rows.projected(), hidden, tokens, false);
  }
}
