package dev.stator.testing;

import dev.stator.model.FeedForwardVariant;
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
public final class RandomModels {
  /** A shape of its own in every number. */
  public static final ModelConfig LLAMA =
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
  public static LoadedModel of(ModelConfig config, long seed, WeightType... types) {
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
    return new ModelWeights(embedding, layers, norm(c, c.hiddenSize()), head);
  }

  private ModelWeights.Layer layer(ModelConfig c) {
    final double in = 1 / Math.sqrt(c.hiddenSize());
    final FeedForwardVariant.Experts experts = c.feedForward().experts();
    final boolean hasPostNorms = c.residual().postNorms();
    final WeightMatrix attentionNorm = norm(c, c.hiddenSize());
    final WeightMatrix query = matrix(c.querySize(), c.hiddenSize(), 2 * in);
    final WeightMatrix key = matrix(c.keyValueSize(), c.hiddenSize(), 2 * in);
    final WeightMatrix value = matrix(c.keyValueSize(), c.hiddenSize(), in);
    final WeightMatrix output = matrix(c.hiddenSize(), c.querySize(), 1 / Math.sqrt(c.querySize()));
    final WeightMatrix queryBias = c.attentionBias() ? vector(c.querySize(), 0) : null;
    final WeightMatrix keyBias = c.attentionBias() ? vector(c.keyValueSize(), 0) : null;
    final WeightMatrix valueBias = c.attentionBias() ? vector(c.keyValueSize(), 0) : null;
    final WeightMatrix queryNorm = c.queryKeyNorm() ? norm(c, c.headSize()) : null;
    final WeightMatrix keyNorm = c.queryKeyNorm() ? norm(c, c.headSize()) : null;
    final WeightMatrix feedForwardNorm = norm(c, c.hiddenSize());
    final ModelWeights.Expert dense = experts == null ? expert(c, c.intermediateSize()) : null;
    return new ModelWeights.Layer(
        attentionNorm,
        query,
        key,
        value,
        output,
        queryBias,
        keyBias,
        valueBias,
        queryNorm,
        keyNorm,
        feedForwardNorm,
        dense == null ? null : dense.gate(),
        dense == null ? null : dense.up(),
        dense == null ? null : dense.down(),
        hasPostNorms ? norm(c, c.hiddenSize()) : null,
        hasPostNorms ? norm(c, c.hiddenSize()) : null,
        dense == null ? mixture(c) : null);
  }

  private ModelWeights.ExpertMixture mixture(ModelConfig c) {
    final FeedForwardVariant.Experts shape = c.feedForward().experts();
    final WeightMatrix router =
        matrix(shape.count(), c.hiddenSize(), 1 / Math.sqrt(c.hiddenSize()));
    final List<ModelWeights.Expert> experts = new ArrayList<>();
    for (int e = 0; e < shape.count(); e++) experts.add(expert(c, shape.intermediateSize()));
    if (shape.sharedSize() == 0) {
      return new ModelWeights.ExpertMixture(router, experts, null, null);
    }
    final ModelWeights.Expert shared = expert(c, shape.sharedSize());
    return new ModelWeights.ExpertMixture(router, experts, shared, vector(c.hiddenSize(), 0));
  }

  private ModelWeights.Expert expert(ModelConfig c, int intermediate) {
    final double in = 1 / Math.sqrt(c.hiddenSize());
    return new ModelWeights.Expert(
        matrix(intermediate, c.hiddenSize(), in),
        matrix(intermediate, c.hiddenSize(), in),
        matrix(c.hiddenSize(), intermediate, 1 / Math.sqrt(intermediate)));
  }

  private WeightMatrix norm(ModelConfig c, int length) {
    return vector(length, 1 - c.residual().normOffset());
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
