package dev.stator.device.cpu;

import dev.stator.model.LoadedModel;
import dev.stator.model.ModelConfig;
import dev.stator.model.ModelWeights;
import dev.stator.model.RopeScaling;
import dev.stator.model.WeightDecoder;
import dev.stator.model.WeightMatrix;

/**
 * The forward pass in float64, straight from the papers' formulas: no cache, no blocks, no tricks.
 */
final class ReferenceModel {
  private final ModelConfig config;
  private final ModelWeights weights;

  ReferenceModel(LoadedModel model) {
    config = model.config();
    weights = model.weights();
  }

  /** The logits after the last token. */
  double[] logits(int[] tokens) {
    final double[][] x = new double[tokens.length][];
    for (int t = 0; t < tokens.length; t++)
      x[t] = doubles(WeightDecoder.row(weights.tokenEmbedding(), tokens[t]));
    for (ModelWeights.Layer layer : weights.layers()) {
      attention(layer, x);
      for (double[] row : x) feedForward(layer, row);
    }
    return times(weights.outputHead(), norm(x[x.length - 1], weights.outputNorm()));
  }

  private void attention(ModelWeights.Layer layer, double[][] x) {
    final int tokens = x.length;
    final double[][] q = new double[tokens][];
    final double[][] k = new double[tokens][];
    final double[][] v = new double[tokens][];
    for (int t = 0; t < tokens; t++) {
      final double[] h = norm(x[t], layer.attentionNorm());
      q[t] = plus(times(layer.query(), h), layer.queryBias());
      k[t] = plus(times(layer.key(), h), layer.keyBias());
      v[t] = plus(times(layer.value(), h), layer.valueBias());
      turnHeads(q[t], layer.queryNorm(), t);
      turnHeads(k[t], layer.keyNorm(), t);
    }
    for (int t = 0; t < tokens; t++) {
      final double[] out = new double[config.querySize()];
      for (int head = 0; head < config.headCount(); head++) attend(q[t], k, v, t, head, out);
      add(x[t], times(layer.attentionOutput(), out));
    }
  }

  private void attend(
      double[] q, double[][] k, double[][] v, int position, int head, double[] out) {
    final int size = config.headSize();
    final int shared = head / (config.headCount() / config.keyValueHeadCount());
    final double[] weight = new double[position + 1];
    double sum = 0;
    for (int j = 0; j <= position; j++) {
      double score = 0;
      for (int d = 0; d < size; d++) score += q[head * size + d] * k[j][shared * size + d];
      weight[j] = Math.exp(score / Math.sqrt(size));
      sum += weight[j];
    }
    for (int j = 0; j <= position; j++) {
      for (int d = 0; d < size; d++)
        out[head * size + d] += weight[j] / sum * v[j][shared * size + d];
    }
  }

  private void turnHeads(double[] heads, WeightMatrix headNorm, int position) {
    final int size = config.headSize();
    for (int from = 0; from < heads.length; from += size) {
      if (headNorm != null) {
        final double[] head = new double[size];
        System.arraycopy(heads, from, head, 0, size);
        System.arraycopy(norm(head, headNorm), 0, heads, from, size);
      }
      for (int i = 0; i < size / 2; i++) {
        final boolean halves = config.ropeLayout() == ModelConfig.RopeLayout.HALVES;
        final int a = from + (halves ? i : 2 * i);
        final int b = from + (halves ? i + size / 2 : 2 * i + 1);
        final double angle = position * frequency(i);
        final double first = heads[a];
        heads[a] = first * Math.cos(angle) - heads[b] * Math.sin(angle);
        heads[b] = heads[b] * Math.cos(angle) + first * Math.sin(angle);
      }
    }
  }

  private double frequency(int i) {
    final double plain = 1 / Math.pow(config.ropeTheta(), 2.0 * i / config.headSize());
    return switch (config.ropeScaling()) {
      case RopeScaling.None() -> plain;
      case RopeScaling.Linear(float factor) -> plain / factor;
      case RopeScaling.PerPair(float[] divisors) -> plain / divisors[i];
      case RopeScaling.Llama3(float factor, float low, float high, int length) -> {
        // As in transformers' _compute_llama3_parameters.
        final double turns = length * plain / (2 * Math.PI);
        final double smooth = Math.clamp((turns - low) / (high - low), 0.0, 1.0);
        yield (1 - smooth) * plain / factor + smooth * plain;
      }
    };
  }

  private void feedForward(ModelWeights.Layer layer, double[] x) {
    final double[] h = norm(x, layer.feedForwardNorm());
    final double[] gate = times(layer.gate(), h);
    final double[] up = times(layer.up(), h);
    for (int i = 0; i < gate.length; i++) gate[i] = gate[i] / (1 + Math.exp(-gate[i])) * up[i];
    add(x, times(layer.down(), gate));
  }

  private double[] norm(double[] x, WeightMatrix weight) {
    double squares = 0;
    for (double value : x) squares += value * value;
    final double root = Math.sqrt(squares / x.length + config.rmsNormEpsilon());
    final float[] w = WeightDecoder.row(weight, 0);
    final double[] y = new double[x.length];
    for (int i = 0; i < y.length; i++) y[i] = x[i] / root * w[i];
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
