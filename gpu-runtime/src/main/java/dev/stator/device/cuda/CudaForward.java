package dev.stator.device.cuda;

import dev.stator.model.ModelConfig;

/**
 * One step through all layers, as launches on a stream. Rows are tokens.
 *
 * <pre>
 *   x = embedding (times a scale)                                   float32
 *   each layer:  qkv = products(rmsNorm(x)) + biases                bf16 in, float32 out
 *                head norms; rotation; q to bf16; k, v to their blocks, bf16
 *                x += product(attention(q))
 *                x += down(activation(gate(rmsNorm(x))) * up(rmsNorm(x))), or the experts' (CudaMixture)
 *   states = rmsNorm(x) of the wanted rows, logits = product(states)
 * </pre>
 *
 * <p>With post-norms, {@code x += rmsNorm(...)} in place of {@code x += ...}. Where several ranks
 * have parts of the model, what is added to x is the sum of all ranks' products.
 *
 * <p><b>Threads:</b> the driver's.
 */
final class CudaForward {
  private final ModelConfig config;
  private final CudaWeights weights;
  private final Kernels kernels;
  private final Activations rows;
  private final PagedAttention attention;
  private final CudaMixture mixture; // Null where each layer is one dense network.

  /** A product that goes to the residual stream, behind a norm unless that is 0. */
  private record ToResidual(CudaMatrix matrix, long from, long postNorm) {}

  /**
   * @param mixture {@code null} unless the model is a mixture of experts
   */
  CudaForward(
      ModelConfig config,
      CudaWeights weights,
      Kernels kernels,
      Activations rows,
      PagedAttention attention,
      CudaMixture mixture) {
    this.config = config;
    this.weights = weights;
    this.kernels = kernels;
    this.rows = rows;
    this.attention = attention;
    this.mixture = mixture;
  }

  /** Gives the layers of the step that has been uploaded to the stream. */
  void layers(CudaStep step) {
    embed(step);
    final int count = step.rowCount();
    for (int i = 0; i < halfCount(); i++) {
      if (mixes(i)) addMixed(weights.layers().get(i / 2), count);
      else addToResidual(half(i, step), count);
    }
  }

  /**
   * Gives the beginning of a step that several ranks compute. There follow {@link #part}, {@link
   * RankSums#reduce} and {@link #addSum} of each half of a layer, by all ranks in turn.
   */
  void embed(CudaStep step) {
    final int count = step.rowCount();
    kernels.embed(weights.embedding(), step.tokens(), rows.x(), embeddingScale(), count);
  }

  /** Two a layer: attention, and the feed-forward layer. */
  int halfCount() {
    return 2 * weights.layers().size();
  }

  /** Gives what this rank adds to x by half a layer, and sends it to the others. */
  void part(int half, CudaStep step, RankSums sums) {
    final int count = step.rowCount();
    if (mixes(half)) {
      mix(weights.layers().get(half / 2), count, sums.part(), false);
    } else {
      final ToResidual product = half(half, step);
      final int hidden = config.hiddenSize();
      kernels.product(product.matrix(), product.from(), sums.part(), hidden, count, false);
    }
    sums.send();
  }

  /** Gives the sum of what all ranks add to x by half a layer. */
  void addSum(int half, CudaStep step, RankSums sums) {
    final int count = step.rowCount();
    final CudaWeights.Layer layer = weights.layers().get(half / 2);
    final long postNorm = half % 2 == 0 ? layer.postAttentionNorm() : layer.postFeedForwardNorm();
    sums.sumTo(postNorm == 0 ? rows.x() : rows.projected(), postNorm == 0);
    if (postNorm != 0) addProjected(postNorm, count);
  }

  private float embeddingScale() {
    return config.residual().embeddingScale();
  }

  private ToResidual half(int half, CudaStep step) {
    final CudaWeights.Layer layer = weights.layers().get(half / 2);
    return half % 2 == 0 ? attend(layer, half / 2, step) : feedForward(layer, step.rowCount());
  }

  private ToResidual attend(CudaWeights.Layer layer, int layerIndex, CudaStep step) {
    final int count = step.rowCount();
    norm(rows.x(), layer.attentionNorm(), rows.normed(), count);
    kernels.products(layer.queryKeyValue(), rows.normed(), rows.queryKeyValue(), count);
    attention.run(layer, layerIndex, step);
    return new ToResidual(layer.attentionOutput(), rows.attended(), layer.postAttentionNorm());
  }

  private ToResidual feedForward(CudaWeights.Layer layer, int count) {
    norm(rows.x(), layer.feedForwardNorm(), rows.normed(), count);
    kernels.products(layer.gateUp(), rows.normed(), rows.gateUp(), count);
    kernels.gated(
        config.feedForward().activation(),
        rows.gateUp(),
        rows.gated(),
        config.intermediateSize(),
        count);
    return new ToResidual(layer.down(), rows.gated(), layer.postFeedForwardNorm());
  }

  /** Whether half a layer is a mixture of experts. */
  private boolean mixes(int half) {
    return half % 2 == 1 && weights.layers().get(half / 2).experts() != null;
  }

  private void mix(CudaWeights.Layer layer, int count, long to, boolean adds) {
    norm(rows.x(), layer.feedForwardNorm(), rows.normed(), count);
    mixture.run(layer.experts(), rows.normed(), count, to, adds);
  }

  private void addMixed(CudaWeights.Layer layer, int count) {
    final boolean adds = layer.postFeedForwardNorm() == 0;
    mix(layer, count, adds ? rows.x() : rows.projected(), adds);
    if (!adds) addProjected(layer.postFeedForwardNorm(), count);
  }

  private void addToResidual(ToResidual product, int count) {
    final boolean adds = product.postNorm() == 0;
    final long to = adds ? rows.x() : rows.projected();
    kernels.product(product.matrix(), product.from(), to, config.hiddenSize(), count, adds);
    if (!adds) addProjected(product.postNorm(), count);
  }

  /** {@code x += rmsNorm(projected)}. */
  private void addProjected(long postNorm, int count) {
    final int hidden = config.hiddenSize();
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
    kernels.product(weights.outputHead(), rows.normed(), rows.logits(), entries, count, false);
    final float cap = config.residual().logitCap();
    if (cap != 0) kernels.softcap(rows.logits(), (long) count * entries, cap);
  }

  private void gather(CudaStep step, int first, int count) {
    final long wanted = step.wantedRows() + (long) first * Integer.BYTES;
    kernels.gatherRows(rows.x(), wanted, rows.projected(), config.hiddenSize(), count);
  }
}
