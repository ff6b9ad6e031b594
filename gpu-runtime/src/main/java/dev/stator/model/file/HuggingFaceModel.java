package dev.stator.model.file;

import dev.stator.model.ModelWeights;
import java.lang.foreign.Arena;
import java.nio.file.Path;

/** Makes a model of a Hugging Face folder. */
final class HuggingFaceModel {
  private HuggingFaceModel() {}

  /**
   * @param arena owns the mappings
   */
  static ModelParts read(Path folder, Arena arena, ModelFileLimits limits) {
    final JsonFiles json = new JsonFiles(limits);
    final FileSource files = FileSource.of(folder);
    final HuggingFaceText text = new HuggingFaceText(files, json);
    final SafetensorsModel tensors = SafetensorsModel.open(folder, arena, json, limits);
    final ModelShape shape =
        Messages.about(HuggingFaceText.CONFIG, () -> HuggingFaceShape.read(text.config(), tensors));
    final ModelWeights weights = WeightAssembler.assemble(tensors, shape.names(), shape.config());
    return ModelParts.of("safetensors", shape, weights, text.read());
  }
}
