package dev.stator.device.cuda;

import dev.stator.model.ModelConfig;
import dev.stator.model.ModelWeights;
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
 *   gate, up                rows of the feed-forward layer's inner values
 *   attention output, down  columns: what multiplies this rank's heads and inner values
 *   output head             rows: entries of the vocabulary
 *   embedding, norms        all
 * </pre>
 *
 * @param config of the part: its heads, inner values and vocabulary entries
 * @param embeddingRows entries of the whole vocabulary
 * @param innerSize the feed-forward layer's inner values, of all ranks
 * @param inner which of the feed-forward layer's inner values
 * @param entries which of the vocabulary
 */
record Shard(
    int rank,
    int degree,
    ModelConfig config,
    int embeddingRows,
    int innerSize,
    Range inner,
    Range entries) {
  /** Values {@code [start, start + count)}. */
  record Range(int start, int count) {
    /** A rank's part of {@code total}, cut between units; ranks differ by a unit at most. */
    private static Range of(int total, int unit, int rank, int degree) {
      final long units = Math.ceilDiv(total, unit);
      final int start = (int) (units * rank / degree) * unit;
      return new Range(start, (int) Math.min(total, units * (rank + 1) / degree * unit) - start);
    }
  }

  /** The whole model. */
  static Shard whole(ModelConfig config) {
    final Range inner = new Range(0, config.intermediateSize());
    final Range entries = new Range(0, config.vocabularySize());
    return new Shard(0, 1, config, entries.count(), inner.count(), inner, entries);
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
        .mapToObj(rank -> part(config, innerUnit(weights), rank, degree))
        .toList();
  }

  private static Shard part(ModelConfig config, int innerUnit, int rank, int degree) {
    final Range inner = Range.of(config.intermediateSize(), innerUnit, rank, degree);
    final int vocabulary = config.vocabularySize();
    final Range entries = Range.of(vocabulary, MatmulShape.TILE_ROWS, rank, degree);
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
            config.feedForward(),
            config.residual());
    return new Shard(rank, degree, own, vocabulary, config.intermediateSize(), inner, entries);
  }

  /** Why the model cannot be cut into so many parts; {@code null} when it can. */
  static String obstacle(ModelConfig config, ModelWeights weights, int degree) {
    if (config.feedForward().experts() != null) return "mixtures of experts run on one GPU each";
    if (config.keyValueHeadCount() % degree != 0) {
      return "the model's %d key/value heads are no multiple of that"
          .formatted(config.keyValueHeadCount());
    }
    final int innerUnit = innerUnit(weights);
    if (config.intermediateSize() < (long) degree * innerUnit) {
      return "the feed-forward layers' %d inner values come in units of %d"
          .formatted(config.intermediateSize(), innerUnit);
    }
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

  private static int innerUnit(ModelWeights weights) {
    return unit(weights.layers().stream().map(ModelWeights.Layer::down));
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
    final Range query = heads(config.querySize());
    final Range keyValue = heads(config.keyValueSize());
    return new ModelWeights.Layer(
        layer.attentionNorm(),
        rows(layer.query(), query, query.count() * degree),
        rows(layer.key(), keyValue, keyValue.count() * degree),
        rows(layer.value(), keyValue, keyValue.count() * degree),
        columns(layer.attentionOutput(), query, query.count() * degree, arena),
        bias(layer.queryBias(), query, arena),
        bias(layer.keyBias(), keyValue, arena),
        bias(layer.valueBias(), keyValue, arena),
        layer.queryNorm(),
        layer.keyNorm(),
        layer.feedForwardNorm(),
        rows(layer.gate(), inner, innerSize),
        rows(layer.up(), inner, innerSize),
        columns(layer.down(), inner, innerSize, arena),
        layer.postAttentionNorm(),
        layer.postFeedForwardNorm(),
        null);
  }

  private Range heads(int size) {
    return new Range(rank * size, size);
  }

  /** This rank's part of the output head. */
  WeightMatrix head(WeightMatrix head) {
    return isWhole() ? head : rows(head, entries, embeddingRows);
  }

  private WeightMatrix rows(WeightMatrix source, Range range, int of) {
    return WeightMatrix.requireShape(source, of, config.hiddenSize())
        .rows(range.start(), range.count());
  }

  private WeightMatrix columns(WeightMatrix source, Range range, int of, Arena arena) {
    return columns(WeightMatrix.requireShape(source, config.hiddenSize(), of), range, arena);
  }

  private WeightMatrix bias(WeightMatrix source, Range range, Arena arena) {
    if (!config.attentionBias()) return null;
    return columns(WeightMatrix.requireShape(source, 1, range.count() * degree), range, arena);
  }

  private static WeightMatrix columns(WeightMatrix source, Range range, Arena arena) {
    final long offset = source.type().byteSize(range.start());
    final long bytes = source.type().byteSize(range.count());
    final MemorySegment data = arena.allocate(bytes * source.rowCount());
    for (int row = 0; row < source.rowCount(); row++) {
      MemorySegment.copy(source.row(row), offset, data, row * bytes, bytes);
    }
    return new WeightMatrix(
        source.name(),
        source.type(),
        source.rowCount(),
        range.count(),
        source.scales() == null ? null : source.scales().fromColumn(range.start()),
        data.asReadOnly());
  }
}
