package dev.stator.model.file;

import dev.stator.model.FeedForwardVariant;
import dev.stator.model.ModelConfig;
import dev.stator.model.ModelFormatException;
import dev.stator.model.ModelWeights;
import dev.stator.model.WeightMatrix;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Puts tensors into their roles. Every weight that the configuration asks for must be there in its
 * shape, and every tensor of the file must have found its role: a tensor left over means a model
 * that computes something else.
 */
final class WeightAssembler {
  private final TensorSource source;
  private final TensorNames names;
  private final ModelConfig config;
  private final Set<String> used = new HashSet<>();

  private WeightAssembler(TensorSource source, TensorNames names, ModelConfig config) {
    this.source = source;
    this.names = names;
    this.config = config;
  }

  /**
   * @throws ModelFormatException when a tensor is missing, has another shape, is of an unsupported
   *     type, or is left over
   */
  static ModelWeights assemble(TensorSource source, TensorNames names, ModelConfig config) {
    final WeightAssembler assembler = new WeightAssembler(source, names, config);
    final ModelWeights weights = assembler.weights();
    assembler.requireNothingLeft();
    return weights;
  }

  private ModelWeights weights() {
    final WeightMatrix embedding =
        take(names.tokenEmbedding(), config.vocabularySize(), config.hiddenSize());
    final WeightMatrix head =
        config.tiedEmbeddings()
            ? embedding
            : take(names.outputHead(), config.vocabularySize(), config.hiddenSize());
    final WeightMatrix norm = take(names.outputNorm(), 1, config.hiddenSize());
    final List<ModelWeights.Layer> layers = new ArrayList<>();
    for (int i = 0; i < config.layerCount(); i++) layers.add(layer(i));
    return new ModelWeights(embedding, layers, norm, head);
  }

  private ModelWeights.Layer layer(int index) {
    final int hidden = config.hiddenSize();
    final int querySize = config.querySize();
    final int keyValueSize = config.keyValueSize();
    final boolean hasBias = config.attentionBias();
    final boolean hasHeadNorm = config.queryKeyNorm();
    final boolean hasPostNorms = config.residual().postNorms();
    final WeightMatrix attentionNorm = take(names.weight(index, names.attentionNorm()), 1, hidden);
    final WeightMatrix[] queryKeyValue =
        parts(
            index,
            names.fusedQueryKeyValue(),
            new String[] {names.query(), names.key(), names.value()},
            querySize,
            keyValueSize,
            keyValueSize);
    final ModelWeights.Expert dense = isDense() ? dense(index) : null;
    return new ModelWeights.Layer(
        attentionNorm,
        queryKeyValue[0],
        queryKeyValue[1],
        queryKeyValue[2],
        take(names.weight(index, names.attentionOutput()), hidden, querySize),
        hasBias ? take(names.bias(index, names.query()), 1, querySize) : null,
        hasBias ? take(names.bias(index, names.key()), 1, keyValueSize) : null,
        hasBias ? take(names.bias(index, names.value()), 1, keyValueSize) : null,
        hasHeadNorm ? take(names.weight(index, names.queryNorm()), 1, config.headSize()) : null,
        hasHeadNorm ? take(names.weight(index, names.keyNorm()), 1, config.headSize()) : null,
        take(names.weight(index, names.feedForwardNorm()), 1, hidden),
        dense == null ? null : dense.gate(),
        dense == null ? null : dense.up(),
        dense == null ? null : dense.down(),
        hasPostNorms ? take(names.weight(index, names.postAttentionNorm()), 1, hidden) : null,
        hasPostNorms ? take(names.weight(index, names.postFeedForwardNorm()), 1, hidden) : null,
        dense == null ? mixture(index) : null);
  }

  private boolean isDense() {
    return config.feedForward().experts() == null;
  }

  private ModelWeights.Expert dense(int index) {
    final int intermediate = config.intermediateSize();
    final WeightMatrix[] gateUp =
        parts(
            index,
            names.fusedGateUp(),
            new String[] {names.gate(), names.up()},
            intermediate,
            intermediate);
    final WeightMatrix down =
        take(names.weight(index, names.down()), config.hiddenSize(), intermediate);
    return new ModelWeights.Expert(gateUp[0], gateUp[1], down);
  }

  /** Matrices of {@code rowCounts} rows, each a tensor, or one tensor of the rows of all. */
  private WeightMatrix[] parts(int index, String fused, String[] roles, int... rowCounts) {
    final WeightMatrix[] parts = new WeightMatrix[roles.length];
    final String fusedName = names.weight(index, fused);
    if (source.has(names.weight(index, roles[0])) || !source.has(fusedName)) {
      for (int i = 0; i < parts.length; i++) {
        parts[i] = take(names.weight(index, roles[i]), rowCounts[i], config.hiddenSize());
      }
      return parts;
    }
    final WeightMatrix whole = take(fusedName, IntStream.of(rowCounts).sum(), config.hiddenSize());
    int from = 0;
    for (int i = 0; i < parts.length; i++) {
      parts[i] = whole.rows(from, rowCounts[i]);
      from += rowCounts[i];
    }
    return parts;
  }

  private ModelWeights.ExpertMixture mixture(int index) {
    final FeedForwardVariant.Experts shape = config.feedForward().experts();
    final TensorNames.Experts roles = names.experts();
    final int hidden = config.hiddenSize();
    final WeightMatrix router = take(names.weight(index, roles.router()), shape.count(), hidden);
    final List<WeightMatrix> gates = experts(index, roles.gate(), shape.intermediateSize(), hidden);
    final List<WeightMatrix> ups = experts(index, roles.up(), shape.intermediateSize(), hidden);
    final List<WeightMatrix> downs = experts(index, roles.down(), hidden, shape.intermediateSize());
    final List<ModelWeights.Expert> experts = new ArrayList<>();
    for (int e = 0; e < shape.count(); e++) {
      experts.add(new ModelWeights.Expert(gates.get(e), ups.get(e), downs.get(e)));
    }
    final int shared = shape.sharedSize();
    if (shared == 0) return new ModelWeights.ExpertMixture(router, experts, null, null);
    return new ModelWeights.ExpertMixture(
        router,
        experts,
        new ModelWeights.Expert(
            take(names.weight(index, roles.sharedGate()), shared, hidden),
            take(names.weight(index, roles.sharedUp()), shared, hidden),
            take(names.weight(index, roles.sharedDown()), hidden, shared)),
        take(names.weight(index, roles.sharedGateWeight()), 1, hidden));
  }

  private List<WeightMatrix> experts(int index, String role, int rowCount, int columnCount) {
    final int count = config.feedForward().experts().count();
    final List<WeightMatrix> matrices = new ArrayList<>();
    if (!names.experts().isStacked()) {
      for (int e = 0; e < count; e++) {
        matrices.add(take(names.weight(index, role.formatted(e)), rowCount, columnCount));
      }
      return matrices;
    }
    final String name = names.weight(index, role);
    final List<WeightMatrix> stack = source.stack(name);
    if (stack.size() != count) {
      throw new ModelFormatException(
          "tensor %s holds %d experts, expected %d".formatted(name, stack.size(), count));
    }
    for (WeightMatrix matrix : stack) matrices.add(checked(name, matrix, rowCount, columnCount));
    return matrices;
  }

  private WeightMatrix take(String name, int rowCount, int columnCount) {
    return checked(name, source.matrix(name), rowCount, columnCount);
  }

  private WeightMatrix checked(String name, WeightMatrix matrix, int rowCount, int columnCount) {
    if (matrix.rowCount() != rowCount || matrix.columnCount() != columnCount) {
      throw new ModelFormatException(
          "tensor %s has shape %d x %d, expected %d x %d"
              .formatted(name, matrix.rowCount(), matrix.columnCount(), rowCount, columnCount));
    }
    used.add(name);
    return matrix;
  }

  private void requireNothingLeft() {
    if (config.tiedEmbeddings())
      used.add(names.outputHead()); // Some files repeat the embedding there.
    for (String name : source.names()) {
      if (!used.contains(name) && !names.isIgnored(name)) {
        throw new ModelFormatException(
            "the tensor %s has no place in a %d-layer %s model"
                .formatted(Messages.quoted(name), config.layerCount(), config.architecture()));
      }
    }
  }
}
