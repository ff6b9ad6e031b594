package dev.stator.device.cuda;

import dev.stator.model.ModelConfig;
import java.util.List;

/**
 * One step through all layers, as launches on a stream. Rows are tokens.
 *
 * <pre>
 *   x = embedding (times a scale)                                   float32
 *   each layer:  qkv = products(rmsNorm(x)) + biases                bf16 in, float32 out
 *                head norms; rotation; q to bf16; k, v to their blocks, bf16
 *                x += product(attention(q))
 *                x += down(activation(gate(rmsNorm(x))) * up(rmsNorm(x)))
 *   states = rmsNorm(x) of the wanted rows, logits = product(states)
 * </pre>
 *
 * <p>With post-norms, {@code x += rmsNorm(...)} in place of {@code x += ...}.
 *
 * <p><b>Threads:</b> the driver's.
 */
final class CudaForward {
  private final ModelConfig config;
  private final CudaWeights weights;
  private final Kernels kernels;
  private final Activations rows;
  private final PagedAttention attention;

  CudaForward(
      ModelConfig config,
      CudaWeights weights,
      Kernels kernels,
      Activations rows,
      PagedAttention attention) {
    this.config = config;
    this.weights = weights;
    this.kernels = kernels;
    this.rows = rows;
    this.attention = attention;
  }

  /** Gives the layers of the step that has been uploaded to the stream. */
  void layers(CudaStep step) {
    final int count = step.rowCount();
    kernels.embed(weights.embedding(), step.tokens(), rows.x(), embeddingScale(), count);
    final List<CudaWeights.Layer> layers = weights.layers();
    for (int i = 0; i < layers.size(); i++) {
      attend(layers.get(i), i, step);
      feedForward(layers.get(i), count);
    }
  }

  private float embeddingScale() {
    return config.residual().embeddingScale();
  }

  private void attend(CudaWeights.Layer layer, int layerIndex, CudaStep step) {
    final int count = step.rowCount();
    norm(rows.x(), layer.attentionNorm(), rows.normed(), count);
    kernels.products(layer.queryKeyValue(), rows.normed(), rows.queryKeyValue(), count);
    attention.run(layer, layerIndex, step);
    addToResidual(layer.attentionOutput(), rows.attended(), layer.postAttentionNorm(), count);
  }

  private void feedForward(CudaWeights.Layer layer, int count) {
    norm(rows.x(), layer.feedForwardNorm(), rows.normed(), count);
    kernels.products(layer.gateUp(), rows.normed(), rows.gateUp(), count);
    kernels.gated(
        config.feedForward().activation(),
        rows.gateUp(),
        rows.gated(),
        config.intermediateSize(),
        count);
    addToResidual(layer.down(), rows.gated(), layer.postFeedForwardNorm(), count);
  }

  /** {@code x += product(from)}, normalised before where there is a norm. */
  private void addToResidual(CudaMatrix matrix, long from, long postNorm, int count) {
    final int hidden = config.hiddenSize();
    if (postNorm == 0) {
      kernels.product(matrix, from, 0, rows.x(), hidden, count, true);
      return;
    }
    kernels.product(matrix, from, 0, rows.projected(), hidden, count, false);
    kernels.normFloats(
        rows.projected(), postNorm, rows.projected(), hidden, config.rmsNormEpsilon(), count);
    kernels.add(rows.x(), rows.projected(), (long) count * hidden);
  }

  private void norm(long from, long weight, long to, int count) {
    kernels.norm(from, weight, to, config.hiddenSize(), config.rmsNormEpsilon(), count);
  }

  /**
   * Gives the hidden states of wanted rows {@code [first, first + count)}, float32, to {@link
   * Activations#projected}.
   */
  void states(CudaStep step, int first, int count) {
    gather(step, first, count);
    kernels.normFloats(
        rows.projected(),
        weights.outputNorm(),
        rows.projected(),
        config.hiddenSize(),
        config.rmsNormEpsilon(),
        count);
  }

  /** Gives the logits of wanted rows {@code [first, first + count)}. */
  void logits(CudaStep step, int first, int count) {
    gather(step, first, count);
    norm(rows.projected(), weights.outputNorm(), rows.normed(), count);
    final int entries = config.vocabularySize();
    kernels.product(weights.outputHead(), rows.normed(), 0, rows.logits(), entries, count, false);
    final float cap = config.residual().logitCap();
    if (cap != 0) kernels.softcap(rows.logits(), (long) count * entries, cap);
  }

  private void gather(CudaStep step, int first, int count) {
    final long wanted = step.wantedRows() + (long) first * Integer.BYTES;
    kernels.gatherRows(rows.x(), wanted, rows.projected(), config.hiddenSize(), count);
  }
}
