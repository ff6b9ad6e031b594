package dev.stator.model.file;

import dev.stator.model.ModelConfig;
import dev.stator.model.ModelFormatException;
import dev.stator.model.ModelWeights;
import dev.stator.model.WeightMatrix;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

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
    final int intermediate = config.intermediateSize();
    final boolean hasBias = config.attentionBias();
    final boolean hasHeadNorm = config.queryKeyNorm();
    return new ModelWeights.Layer(
        take(names.weight(index, names.attentionNorm()), 1, hidden),
        take(names.weight(index, names.query()), querySize, hidden),
        take(names.weight(index, names.key()), keyValueSize, hidden),
        take(names.weight(index, names.value()), keyValueSize, hidden),
        take(names.weight(index, names.attentionOutput()), hidden, querySize),
        hasBias ? take(names.bias(index, names.query()), 1, querySize) : null,
        hasBias ? take(names.bias(index, names.key()), 1, keyValueSize) : null,
        hasBias ? take(names.bias(index, names.value()), 1, keyValueSize) : null,
        hasHeadNorm ? take(names.weight(index, names.queryNorm()), 1, config.headSize()) : null,
        hasHeadNorm ? take(names.weight(index, names.keyNorm()), 1, config.headSize()) : null,
        take(names.weight(index, names.feedForwardNorm()), 1, hidden),
        take(names.weight(index, names.gate()), intermediate, hidden),
        take(names.weight(index, names.up()), intermediate, hidden),
        take(names.weight(index, names.down()), hidden, intermediate));
  }

  private WeightMatrix take(String name, int rowCount, int columnCount) {
    final WeightMatrix matrix = source.matrix(name);
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
