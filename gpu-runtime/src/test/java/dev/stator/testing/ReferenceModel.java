package dev.stator.testing;

import dev.stator.model.AttentionVariant;
import dev.stator.model.FeedForwardVariant;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelConfig;
import dev.stator.model.ModelWeights;
import dev.stator.model.RopeScaling;
import dev.stator.model.WeightDecoder;
import dev.stator.model.WeightMatrix;
import java.util.Arrays;

/**
 * The forward pass in float64, straight from the papers' formulas: no cache, no blocks, no tricks.
 */
public final class ReferenceModel {
  private final ModelConfig config;
  private final ModelWeights weights;

  public ReferenceModel(LoadedModel model) {
    config = model.config();
    weights = model.weights();
  }

  /** The logits after the last token. */
  public double[] logits(int[] tokens) {
    final double[][] x = new double[tokens.length][];
    for (int t = 0; t < tokens.length; t++) {
      x[t] = doubles(WeightDecoder.row(weights.tokenEmbedding(), tokens[t]));
      for (int i = 0; i < x[t].length; i++) x[t][i] *= config.residual().embeddingScale();
    }
    for (int i = 0; i < config.layerCount(); i++) {
      final ModelWeights.Layer layer = weights.layers().get(i);
      attention(layer, config.isWindowed(i) ? config.attention().window() : null, x);
      for (double[] row : x) feedForward(layer, row);
    }
    final double[] logits =
        times(weights.outputHead(), norm(x[x.length - 1], weights.outputNorm()));
    for (int i = 0; i < logits.length; i++) {
      logits[i] = capped(logits[i], config.residual().logitCap());
    }
    return logits;
  }

  private static double capped(double value, double cap) {
    return cap == 0 ? value : cap * Math.tanh(value / cap);
  }

  private void attention(ModelWeights.Layer layer, AttentionVariant.Window window, double[][] x) {
    final int tokens = x.length;
    final double[][] q = new double[tokens][];
    final double[][] k = new double[tokens][];
    final double[][] v = new double[tokens][];
    for (int t = 0; t < tokens; t++) {
      final double[] h = norm(x[t], layer.attentionNorm());
      q[t] = plus(times(layer.query(), h), layer.queryBias());
      k[t] = plus(times(layer.key(), h), layer.keyBias());
      v[t] = plus(times(layer.value(), h), layer.valueBias());
      turnHeads(q[t], layer.queryNorm(), window, t);
      turnHeads(k[t], layer.keyNorm(), window, t);
    }
    for (int t = 0; t < tokens; t++) {
      final double[] out = new double[config.querySize()];
      final int first = window == null ? 0 : Math.max(0, t - window.length() + 1);
      for (int head = 0; head < config.headCount(); head++) {
        attend(q[t], k, v, first, t, head, out);
      }
      add(x[t], postNorm(times(layer.attentionOutput(), out), layer.postAttentionNorm()));
    }
  }

  private void attend(
      double[] q, double[][] k, double[][] v, int first, int position, int head, double[] out) {
    final int size = config.headSize();
    final int shared = head / (config.headCount() / config.keyValueHeadCount());
    final double[] weight = new double[position + 1];
    double sum = 0;
    for (int j = first; j <= position; j++) {
      double score = 0;
      for (int d = 0; d < size; d++) score += q[head * size + d] * k[j][shared * size + d];
      final AttentionVariant variant = config.attention();
      score = variant.scale() == 0 ? score / Math.sqrt(size) : score * variant.scale();
      weight[j] = Math.exp(capped(score, variant.scoreCap()));
      sum += weight[j];
    }
    for (int j = first; j <= position; j++) {
      for (int d = 0; d < size; d++)
        out[head * size + d] += weight[j] / sum * v[j][shared * size + d];
    }
  }

  private double[] postNorm(double[] x, WeightMatrix weight) {
    return weight == null ? x : norm(x, weight);
  }

  private void turnHeads(
      double[] heads, WeightMatrix headNorm, AttentionVariant.Window window, int position) {
    final int size = config.headSize();
    for (int from = 0; from < heads.length; from += size) {
      if (headNorm != null) {
        final double[] head = new double[size];
        System.arraycopy(heads, from, head, 0, size);
        System.arraycopy(norm(head, headNorm), 0, heads, from, size);
      }
      final int pairs = config.rotatedSize() / 2;
      for (int i = 0; i < pairs; i++) {
        final boolean halves = config.ropeLayout() == ModelConfig.RopeLayout.HALVES;
        final int a = from + (halves ? i : 2 * i);
        final int b = from + (halves ? i + pairs : 2 * i + 1);
        final boolean isLocal = window != null && window.ropeTheta() != 0;
        final double angle =
            position
                * (isLocal ? 1 / Math.pow(window.ropeTheta(), i / (double) pairs) : frequency(i));
        final double factor = isLocal ? 1 : attentionFactor();
        final double first = heads[a];
        heads[a] = factor * (first * Math.cos(angle) - heads[b] * Math.sin(angle));
        heads[b] = factor * (heads[b] * Math.cos(angle) + first * Math.sin(angle));
      }
    }
  }

  private double frequency(int i) {
    final double plain = 1 / Math.pow(config.ropeTheta(), 2.0 * i / config.rotatedSize());
    return switch (config.ropeScaling()) {
      case RopeScaling.None() -> plain;
      case RopeScaling.Linear(float factor) -> plain / factor;
      case RopeScaling.PerPair(float[] divisors, float _) -> plain / divisors[i];
      case RopeScaling.LongRope longRope -> plain / longRope.longDivisors()[i];
      case RopeScaling.Yarn yarn -> {
        // The paper's gamma, over the pair's index as in transformers' _compute_yarn_parameters.
        final double low = Math.max(0, yarnPair(yarn, yarn.betaFast()));
        final double high = Math.min(config.rotatedSize() - 1, yarnPair(yarn, yarn.betaSlow()));
        final double from = yarn.isTruncated() ? Math.floor(low) : low;
        final double to = yarn.isTruncated() ? Math.ceil(high) : high;
        final double kept = 1 - Math.clamp((i - from) / (to - from), 0.0, 1.0);
        yield kept * plain + (1 - kept) * plain / yarn.factor();
      }
      case RopeScaling.Llama3(float factor, float low, float high, int length) -> {
        // As in transformers' _compute_llama3_parameters.
        final double turns = length * plain / (2 * Math.PI);
        final double smooth = Math.clamp((turns - low) / (high - low), 0.0, 1.0);
        yield (1 - smooth) * plain / factor + smooth * plain;
      }
    };
  }

  private double yarnPair(RopeScaling.Yarn yarn, double turns) {
    final double wavelength = yarn.originalContextLength() / (2 * Math.PI * turns);
    return config.rotatedSize() / 2.0 * Math.log(wavelength) / Math.log(config.ropeTheta());
  }

  private double attentionFactor() {
    return switch (config.ropeScaling()) {
      case RopeScaling.Yarn yarn -> yarn.attentionFactor();
      case RopeScaling.LongRope longRope -> longRope.attentionFactor();
      default -> 1;
    };
  }

  private void feedForward(ModelWeights.Layer layer, double[] x) {
    final double[] h = norm(x, layer.feedForwardNorm());
    final double[] out =
        layer.experts() == null
            ? dense(layer.gate(), layer.up(), layer.down(), h)
            : mixture(layer.experts(), h);
    add(x, postNorm(out, layer.postFeedForwardNorm()));
  }

  private double[] dense(WeightMatrix gate, WeightMatrix up, WeightMatrix down, double[] h) {
    final double[] g = times(gate, h);
    final double[] u = times(up, h);
    for (int i = 0; i < g.length; i++) g[i] = activated(g[i]) * u[i];
    return times(down, g);
  }

  private double activated(double x) {
    return switch (config.feedForward().activation()) {
      case SILU -> x / (1 + Math.exp(-x));
      case GELU_TANH ->
          0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
    };
  }

  private double[] mixture(ModelWeights.ExpertMixture layer, double[] h) {
    final FeedForwardVariant.Experts shape = config.feedForward().experts();
    final double[] share = times(layer.router(), h);
    double sum = 0;
    for (int e = 0; e < share.length; e++) sum += share[e] = Math.exp(share[e]);
    final double[] sorted = share.clone();
    Arrays.sort(sorted);
    final double least = sorted[share.length - shape.usedCount()];
    if (shape.renormalises()) {
      sum = 0;
      for (double one : share) if (one >= least) sum += one;
    }
    final double[] out = new double[h.length];
    for (int e = 0; e < share.length; e++) {
      if (share[e] >= least) add(out, scaled(expert(layer.experts().get(e), h), share[e] / sum));
    }
    if (layer.shared() != null) {
      final double gate = 1 / (1 + Math.exp(-times(layer.sharedGate(), h)[0]));
      add(out, scaled(expert(layer.shared(), h), gate));
    }
    return out;
  }

  private double[] expert(ModelWeights.Expert expert, double[] h) {
    return dense(expert.gate(), expert.up(), expert.down(), h);
  }

  private static double[] scaled(double[] x, double factor) {
    for (int i = 0; i < x.length; i++) x[i] *= factor;
    return x;
  }

  private double[] norm(double[] x, WeightMatrix weight) {
    double squares = 0;
    for (double value : x) squares += value * value;
    final double root = Math.sqrt(squares / x.length + config.rmsNormEpsilon());
    final float[] w = WeightDecoder.row(weight, 0);
    final double[] y = new double[x.length];
    for (int i = 0; i < y.length; i++) y[i] = x[i] / root * (w[i] + config.residual().normOffset());
    return y;
  }

  private static double[] times(WeightMatrix matrix, double[] x) {
    final double[] y = new double[matrix.rowCount()];
    for (int row = 0; row < y.length; row++) {
      final float[] w = WeightDecoder.row(matrix, row);
      for (int k = 0; k < w.length; k++) y[row] += w[k] * x[k];
    }
    return y;
  }

  private static double[] plus(double[] x, WeightMatrix bias) {
    if (bias != null) add(x, doubles(WeightDecoder.row(bias, 0)));
    return x;
  }

  private static void add(double[] x, double[] y) {
    for (int i = 0; i < x.length; i++) x[i] += y[i];
  }

  private static double[] doubles(float[] values) {
    final double[] doubles = new double[values.length];
    for (int i = 0; i < values.length; i++) doubles[i] = values[i];
    return doubles;
  }
}
