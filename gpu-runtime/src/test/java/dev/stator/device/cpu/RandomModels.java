package dev.stator.device.cpu;

import dev.stator.model.GenerationDefaults;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelConfig;
import dev.stator.model.ModelWeights;
import dev.stator.model.RopeScaling;
import dev.stator.model.WeightMatrix;
import dev.stator.model.WeightType;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;

/** Small models of any shape with random weights, without tokenizer or template. */
final class RandomModels {
  /** A shape of its own in every number. */
  static final ModelConfig LLAMA =
      new ModelConfig(
          "llama",
          3,
          128,
          192,
          4,
          2,
          64,
          131,
          512,
          1e-5f,
          10_000f,
          new RopeScaling.None(),
          ModelConfig.RopeLayout.INTERLEAVED,
          false,
          false,
          true);

  private final Random random;
  private final WeightType[] types;
  private int nextMatrix;
  private int nextVector;

  private RandomModels(long seed, WeightType... types) {
    this.random = new Random(seed);
    this.types = types;
  }

  /**
   * @param types of the projections, used in turn; columns must be whole blocks of each
   */
  static LoadedModel of(ModelConfig config, long seed, WeightType... types) {
    final ModelWeights weights = new RandomModels(seed, types).weights(config);
    final var defaults =
        new GenerationDefaults(
            Set.of(), OptionalDouble.empty(), OptionalDouble.empty(), OptionalInt.empty());
    return new LoadedModel(
        "random", "random", "random", config, weights, 0, null, null, defaults, Arena.ofShared());
  }

  private ModelWeights weights(ModelConfig c) {
    final WeightMatrix embedding = matrix(c.vocabularySize(), c.hiddenSize(), 1);
    final List<ModelWeights.Layer> layers = new ArrayList<>();
    for (int i = 0; i < c.layerCount(); i++) layers.add(layer(c));
    final WeightMatrix head =
        c.tiedEmbeddings()
            ? embedding
            : matrix(c.vocabularySize(), c.hiddenSize(), 1 / Math.sqrt(c.hiddenSize()));
    return new ModelWeights(embedding, layers, vector(c.hiddenSize(), 1), head);
  }

  private ModelWeights.Layer layer(ModelConfig c) {
    final double in = 1 / Math.sqrt(c.hiddenSize());
    return new ModelWeights.Layer(
        vector(c.hiddenSize(), 1),
        matrix(c.querySize(), c.hiddenSize(), 2 * in),
        matrix(c.keyValueSize(), c.hiddenSize(), 2 * in),
        matrix(c.keyValueSize(), c.hiddenSize(), in),
        matrix(c.hiddenSize(), c.querySize(), 1 / Math.sqrt(c.querySize())),
        c.attentionBias() ? vector(c.querySize(), 0) : null,
        c.attentionBias() ? vector(c.keyValueSize(), 0) : null,
        c.attentionBias() ? vector(c.keyValueSize(), 0) : null,
        c.queryKeyNorm() ? vector(c.headSize(), 1) : null,
        c.queryKeyNorm() ? vector(c.headSize(), 1) : null,
        vector(c.hiddenSize(), 1),
        matrix(c.intermediateSize(), c.hiddenSize(), in),
        matrix(c.intermediateSize(), c.hiddenSize(), in),
        matrix(c.hiddenSize(), c.intermediateSize(), 1 / Math.sqrt(c.intermediateSize())));
  }

  private WeightMatrix matrix(int rows, int columns, double scale) {
    return RandomWeights.matrix(
        "w" + nextMatrix, types[nextMatrix++ % types.length], rows, columns, scale, random);
  }

  private WeightMatrix vector(int length, double mean) {
    final WeightType[] plain = {WeightType.F32, WeightType.F16, WeightType.BF16};
    return RandomWeights.vector(
        "v" + nextVector, plain[nextVector++ % plain.length], length, mean, 0.2, random);
  }
}
