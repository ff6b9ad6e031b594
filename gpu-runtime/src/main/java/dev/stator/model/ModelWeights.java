package dev.stator.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * All weights of a model under their roles.
 *
 * @param tokenEmbedding {@code [vocabularySize, hiddenSize]}
 * @param outputNorm {@code [1, hiddenSize]}
 * @param outputHead {@code [vocabularySize, hiddenSize]}; the same object as {@code tokenEmbedding}
 *     when tied
 */
public record ModelWeights(
    WeightMatrix tokenEmbedding,
    List<Layer> layers,
    WeightMatrix outputNorm,
    WeightMatrix outputHead) {

  public ModelWeights {
    layers = List.copyOf(layers);
  }

  /** These weights with the first {@code entries} rows of the embedding and of the output head. */
  public ModelWeights withVocabularySize(int entries) {
    final WeightMatrix embedding = tokenEmbedding.firstRows(entries);
    final boolean isTied = outputHead == tokenEmbedding;
    return new ModelWeights(
        embedding, layers, outputNorm, isTied ? embedding : outputHead.firstRows(entries));
  }

  /** Every weight once, a tied output head included with the embedding. */
  public List<WeightMatrix> matrices() {
    final List<WeightMatrix> all = new ArrayList<>();
    all.add(tokenEmbedding);
    for (Layer layer : layers) all.addAll(layer.matrices());
    all.add(outputNorm);
    if (outputHead != tokenEmbedding) all.add(outputHead);
    return all;
  }

  /**
   * One layer's weights. Biases are {@code null} unless {@link ModelConfig#attentionBias}, the head
   * norms unless {@link ModelConfig#queryKeyNorm}, the post-norms unless {@link
   * ResidualVariant#postNorms}. Either the three of the dense feed-forward layer or the experts are
   * {@code null}.
   *
   * @param query {@code [querySize, hiddenSize]}
   * @param key {@code [keyValueSize, hiddenSize]}
   * @param value {@code [keyValueSize, hiddenSize]}
   * @param attentionOutput {@code [hiddenSize, querySize]}
   * @param queryNorm {@code [1, headSize]}
   * @param keyNorm {@code [1, headSize]}
   * @param gate {@code [intermediateSize, hiddenSize]}
   * @param up {@code [intermediateSize, hiddenSize]}
   * @param down {@code [hiddenSize, intermediateSize]}
   * @param postAttentionNorm {@code [1, hiddenSize]}
   * @param postFeedForwardNorm {@code [1, hiddenSize]}
   */
  public record Layer(
      WeightMatrix attentionNorm,
      WeightMatrix query,
      WeightMatrix key,
      WeightMatrix value,
      WeightMatrix attentionOutput,
      WeightMatrix queryBias,
      WeightMatrix keyBias,
      WeightMatrix valueBias,
      WeightMatrix queryNorm,
      WeightMatrix keyNorm,
      WeightMatrix feedForwardNorm,
      WeightMatrix gate,
      WeightMatrix up,
      WeightMatrix down,
      WeightMatrix postAttentionNorm,
      WeightMatrix postFeedForwardNorm,
      ExpertMixture experts) {

    /** A dense layer without post-norms. */
    public Layer(
        WeightMatrix attentionNorm,
        WeightMatrix query,
        WeightMatrix key,
        WeightMatrix value,
        WeightMatrix attentionOutput,
        WeightMatrix queryBias,
        WeightMatrix keyBias,
        WeightMatrix valueBias,
        WeightMatrix queryNorm,
        WeightMatrix keyNorm,
        WeightMatrix feedForwardNorm,
        WeightMatrix gate,
        WeightMatrix up,
        WeightMatrix down) {
      this(
          attentionNorm,
          query,
          key,
          value,
          attentionOutput,
          queryBias,
          keyBias,
          valueBias,
          queryNorm,
          keyNorm,
          feedForwardNorm,
          gate,
          up,
          down,
          null,
          null,
          null);
    }

    /** The layer's weights, without those that are {@code null}. */
    public List<WeightMatrix> matrices() {
      final Stream<WeightMatrix> own =
          Stream.of(
              attentionNorm,
              query,
              key,
              value,
              attentionOutput,
              queryBias,
              keyBias,
              valueBias,
              queryNorm,
              keyNorm,
              feedForwardNorm,
              gate,
              up,
              down,
              postAttentionNorm,
              postFeedForwardNorm);
      final Stream<WeightMatrix> mixture =
          experts == null ? Stream.of() : experts.matrices().stream();
      return Stream.concat(own, mixture).filter(Objects::nonNull).toList();
    }
  }

  /**
   * A layer's experts.
   *
   * @param router {@code [count, hiddenSize]}
   * @param shared the expert that every token goes through; {@code null} when there is none
   * @param sharedGate {@code [1, hiddenSize]}; {@code null} without a shared expert
   */
  public record ExpertMixture(
      WeightMatrix router, List<Expert> experts, Expert shared, WeightMatrix sharedGate) {
    public ExpertMixture {
      experts = List.copyOf(experts);
    }

    List<WeightMatrix> matrices() {
      final List<WeightMatrix> all = new ArrayList<>();
      all.add(router);
      for (Expert expert : experts) all.addAll(expert.matrices());
      if (shared != null) all.addAll(shared.matrices());
      if (sharedGate != null) all.add(sharedGate);
      return all;
    }
  }

  /**
   * One expert.
   *
   * @param gate {@code [expert's intermediate size, hiddenSize]}
   * @param up {@code [expert's intermediate size, hiddenSize]}
   * @param down {@code [hiddenSize, expert's intermediate size]}
   */
  public record Expert(WeightMatrix gate, WeightMatrix up, WeightMatrix down) {
    List<WeightMatrix> matrices() {
      return List.of(gate, up, down);
    }
  }
}
