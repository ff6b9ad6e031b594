package dev.stator.model;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * What a model is, as {@code stator inspect} shows it.
 *
 * @param source the file or folder
 * @param format {@code gguf} or {@code safetensors}
 * @param parameterCount values of all weights, a tied output head counted once
 * @param tensorTypes the types that occur, in the order of {@link WeightType}
 * @param weightBytes bytes of all weights in the file
 * @param tokenizerKind the tokenizer's algorithm as the file names it
 * @param tokenCount tokens of the tokenizer; the model may have more rows, see {@link
 *     ModelConfig#vocabularySize}
 * @param notes what the user should know about how the model is served, one sentence each
 */
public record ModelSummary(
    String name,
    String source,
    String format,
    ModelConfig config,
    long parameterCount,
    List<TensorTypeUse> tensorTypes,
    long weightBytes,
    String tokenizerKind,
    int tokenCount,
    boolean hasChatTemplate,
    GenerationDefaults defaults,
    List<String> notes) {

  /** How many tensors have a type, and their bytes in the file. */
  public record TensorTypeUse(WeightType type, int tensorCount, long byteCount) {}

  public ModelSummary {
    tensorTypes = List.copyOf(tensorTypes);
    notes = List.copyOf(notes);
  }

  /** Sums up an open model. */
  public static ModelSummary of(LoadedModel model, String tokenizerKind, List<String> notes) {
    long parameterCount = 0;
    final Map<WeightType, TensorTypeUse> uses = new EnumMap<>(WeightType.class);
    for (WeightMatrix matrix : model.weights().matrices()) {
      parameterCount += (long) matrix.rowCount() * matrix.columnCount();
      uses.merge(
          matrix.type(),
          new TensorTypeUse(matrix.type(), 1, matrix.data().byteSize()),
          (a, b) ->
              new TensorTypeUse(a.type, a.tensorCount + b.tensorCount, a.byteCount + b.byteCount));
    }
    return new ModelSummary(
        model.name(),
        model.source(),
        model.format(),
        model.config(),
        parameterCount,
        List.copyOf(uses.values()),
        model.weightBytes(),
        tokenizerKind,
        model.tokenizer().vocabularySize(),
        model.chatTemplate() != null,
        model.defaults(),
        notes);
  }
}
