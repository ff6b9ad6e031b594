package dev.stator.device.cuda;

import dev.stator.model.FeedForwardVariant;
import dev.stator.model.ModelConfig;
import dev.stator.model.ModelWeights;
import dev.stator.model.ModelWeights.Expert;
import dev.stator.model.WeightMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What one rank of several has of a model.
 *
 * <pre>
 *   query, key, value       rows of whole key/value heads, each with its query heads
 *   gate, up                rows of inner values: of the feed-forward layer, or of every expert
 *   attention output, down  columns: what multiplies this rank's heads and inner values
 *   output head             rows: entries of the vocabulary
 *   embedding, norms,       all
 *   router, shared gate
 * </pre>
 *
 * @param config of the part: its heads, inner values and vocabulary entries
 * @param inner which of the inner values of the feed-forward layer, or of each expert
 * @param sharedInner which of the inner values of a shared expert; none where there is none
 * @param entries which of the vocabulary
 */
record Shard(int rank, int degree, ModelConfig config, Part inner, Part sharedInner, Part entries) {
  /** Values {@code [start, start + count)} of {@code total}. */
  record Part(int start, int count, int total) {
    private static Part whole(int total) {
      return new Part(0, total, total);
    }

    /** A rank's, cut between units; ranks differ by a unit at most. */
    private static Part of(int total, int unit, int rank, int degree) {
      final long units = Math.ceilDiv(total, unit);
      final int start = (int) (units * rank / degree) * unit;
      final int end = (int) Math.min(total, units * (rank + 1) / degree * unit);
      return new Part(start, end - start, total);
    }
  }

  /** The whole model. */
  static Shard whole(ModelConfig config) {
    return new Shard(
        0,
        1,
        config,
        Part.whole(innerSize(config)),
        Part.whole(sharedInnerSize(config)),
        Part.whole(config.vocabularySize()));
  }

  private static int innerSize(ModelConfig config) {
    final FeedForwardVariant.Experts experts = config.feedForward().experts();
    return experts == null ? config.intermediateSize() : experts.intermediateSize();
  }

  private static int sharedInnerSize(ModelConfig config) {
    final FeedForwardVariant.Experts experts = config.feedForward().experts();
    return experts == null ? 0 : experts.sharedSize();
  }

  /**
   * The parts of all ranks, in order.
   *
   * @param config with the rotation that is served
   * @throws IllegalArgumentException when the model cannot be cut so
   */
  static List<Shard> of(ModelConfig config, ModelWeights weights, int degree) {
    if (degree == 1) return List.of(whole(config));
    final String obstacle = obstacle(config, weights, degree);
    if (obstacle != null) {
      throw new IllegalArgumentException(
          "stator.device.cuda.tensor-parallel is " + degree + ", but " + obstacle);
    }
    return IntStream.range(0, degree)
        .mapToObj(rank -> part(config, weights, rank, degree))
        .toList();
  }

  private static Shard part(ModelConfig config, ModelWeights weights, int rank, int degree) {
    final Part inner = Part.of(innerSize(config), innerUnit(weights), rank, degree);
    final Part sharedInner =
        Part.of(sharedInnerSize(config), sharedInnerUnit(weights), rank, degree);
    final Part entries = Part.of(config.vocabularySize(), MatmulShape.TILE_ROWS, rank, degree);
    final ModelConfig own =
        new ModelConfig(
            config.architecture(),
            config.layerCount(),
            config.hiddenSize(),
            inner.count(),
            config.headCount() / degree,
            config.keyValueHeadCount() / degree,
            config.headSize(),
            entries.count(),
            config.contextLength(),
            config.rmsNormEpsilon(),
            config.ropeTheta(),
            config.ropeScaling(),
            config.ropeLayout(),
            config.attentionBias(),
            config.queryKeyNorm(),
            config.tiedEmbeddings(),
            config.attention(),
            part(config.feedForward(), inner, sharedInner),
            config.residual());
    return new Shard(rank, degree, own, inner, sharedInner, entries);
  }

  private static FeedForwardVariant part(
      FeedForwardVariant feedForward, Part inner, Part sharedInner) {
    final FeedForwardVariant.Experts experts = feedForward.experts();
    if (experts == null) return feedForward;
    return new FeedForwardVariant(
        feedForward.activation(),
        new FeedForwardVariant.Experts(
            experts.count(),
            experts.usedCount(),
            inner.count(),
            experts.renormalises(),
            sharedInner.count()));
  }

  /** Why the model cannot be cut into so many parts; {@code null} when it can. */
  static String obstacle(ModelConfig config, ModelWeights weights, int degree) {
    if (config.keyValueHeadCount() % degree != 0) {
      return "the model's %d key/value heads are no multiple of that"
          .formatted(config.keyValueHeadCount());
    }
    final String inner = innerObstacle(config, weights, degree);
    if (inner != null) return inner;
    if (config.vocabularySize() <= (degree - 1) * MatmulShape.TILE_ROWS) {
      return "the vocabulary has %d entries alone".formatted(config.vocabularySize());
    }
    final int queryUnit = unit(weights.layers().stream().map(ModelWeights.Layer::attentionOutput));
    final int querySize = config.querySize() / degree;
    return querySize % queryUnit == 0
        ? null
        : "weights of attention outputs come in blocks of %d, a rank's heads have %d values"
            .formatted(queryUnit, querySize);
  }

  private static String innerObstacle(ModelConfig config, ModelWeights weights, int degree) {
    final boolean isDense = config.feedForward().experts() == null;
    final int size = innerSize(config);
    final int unit = innerUnit(weights);
    if (size < (long) degree * unit) {
      return "the %s' %d inner values come in units of %d"
          .formatted(isDense ? "feed-forward layers" : "experts", size, unit);
    }
    final int sharedSize = sharedInnerSize(config);
    final int sharedUnit = sharedInnerUnit(weights);
    return sharedSize == 0 || sharedSize >= (long) degree * sharedUnit
        ? null
        : "the shared experts' %d inner values come in units of %d"
            .formatted(sharedSize, sharedUnit);
  }

  /** Of all down projections but those of shared experts. */
  private static int innerUnit(ModelWeights weights) {
    final Stream<WeightMatrix> dense = weights.layers().stream().map(ModelWeights.Layer::down);
    final Stream<WeightMatrix> ofExperts =
        mixtures(weights).flatMap(mixture -> mixture.experts().stream()).map(Expert::down);
    return unit(Stream.concat(dense, ofExperts));
  }

  private static int sharedInnerUnit(ModelWeights weights) {
    return unit(
        mixtures(weights)
            .map(ModelWeights.ExpertMixture::shared)
            .filter(Objects::nonNull)
            .map(Expert::down));
  }

  private static Stream<ModelWeights.ExpertMixture> mixtures(ModelWeights weights) {
    return weights.layers().stream().map(ModelWeights.Layer::experts).filter(Objects::nonNull);
  }

  /** Columns between which each of these can be cut: whole blocks, and what products take. */
  private static int unit(Stream<WeightMatrix> matrices) {
    return matrices
        .filter(Objects::nonNull) // What lacks is told when it is loaded.
        .mapToInt(Shard::blockColumns)
        .reduce(MatmulShape.COLUMNS_MULTIPLE, Math::max);
  }

  private static int blockColumns(WeightMatrix matrix) {
    return matrix.scales() == null ? matrix.type().blockLength() : MatmulShape.CHUNK_COLUMNS;
  }

  private boolean isWhole() {
    return degree == 1;
  }

  /**
   * This rank's part of a layer.
   *
   * @param arena of what has no place in the model's file
   */
  ModelWeights.Layer of(ModelWeights.Layer layer, Arena arena) {
    if (isWhole()) return layer;
    final Part query = heads(config.querySize());
    final Part keyValue = heads(config.keyValueSize());
    final Expert dense = dense(layer, arena);
    return new ModelWeights.Layer(
        layer.attentionNorm(),
        rows(layer.query(), query),
        rows(layer.key(), keyValue),
        rows(layer.value(), keyValue),
        columns(layer.attentionOutput(), config.hiddenSize(), query, arena),
        bias(layer.queryBias(), query, arena),
        bias(layer.keyBias(), keyValue, arena),
        bias(layer.valueBias(), keyValue, arena),
        layer.queryNorm(),
        layer.keyNorm(),
        layer.feedForwardNorm(),
        dense.gate(),
        dense.up(),
        dense.down(),
        layer.postAttentionNorm(),
        layer.postFeedForwardNorm(),
        experts(layer.experts(), arena));
  }

  private Part heads(int size) {
    return new Part(rank * size, size, degree * size);
  }

  private Expert dense(ModelWeights.Layer layer, Arena arena) {
    if (config.feedForward().experts() != null) return new Expert(null, null, null);
    return expert(new Expert(layer.gate(), layer.up(), layer.down()), inner, arena);
  }

  /** What lacks is told when it is loaded. */
  private ModelWeights.ExpertMixture experts(ModelWeights.ExpertMixture mixture, Arena arena) {
    if (mixture == null || config.feedForward().experts() == null) return null;
    return new ModelWeights.ExpertMixture(
        mixture.router(),
        mixture.experts().stream().map(expert -> expert(expert, inner, arena)).toList(),
        sharedInner.total() == 0 ? null : expert(mixture.shared(), sharedInner, arena),
        mixture.sharedGate());
  }

  private Expert expert(Expert whole, Part part, Arena arena) {
    return new Expert(
        rows(whole.gate(), part),
        rows(whole.up(), part),
        columns(whole.down(), config.hiddenSize(), part, arena));
  }

  /** This rank's part of the output head. */
  WeightMatrix head(WeightMatrix head) {
    return isWhole() ? head : rows(head, entries);
  }

  private WeightMatrix rows(WeightMatrix source, Part part) {
    return WeightMatrix.requireShape(source, part.total(), config.hiddenSize())
        .rows(part.start(), part.count());
  }

  private WeightMatrix bias(WeightMatrix source, Part part, Arena arena) {
    return config.attentionBias() ? columns(source, 1, part, arena) : null;
  }

  private static WeightMatrix columns(WeightMatrix source, int rows, Part part, Arena arena) {
    WeightMatrix.requireShape(source, rows, part.total());
    final long offset = source.type().byteSize(part.start());
    final long bytes = source.type().byteSize(part.count());
    final MemorySegment data = arena.allocate(bytes * source.rowCount());
    for (int row = 0; row < source.rowCount(); row++) {
      MemorySegment.copy(source.row(row), offset, data, row * bytes, bytes);
    }
    return new WeightMatrix(
        source.name(),
        source.type(),
        source.rowCount(),
        part.count(),
        source.scales() == null ? null : source.scales().fromColumn(part.start()),
        data.asReadOnly());
  }
}
