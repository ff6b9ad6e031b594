package dev.stator.model.file;

import dev.stator.model.ModelConfig;
import java.util.List;

/**
 * What a file says about a model's shape.
 *
 * @param notes what the user should know about how it was read, one sentence each
 */
record ModelShape(ModelConfig config, List<String> notes) {
  ModelShape {
    notes = List.copyOf(notes);
  }

  /**
   * Within a window of so many positions every token still sees all others, so up to there the
   * model is served as it is.
   *
   * @param slidingWindow positions a token attends to, itself included; 0 for all
   */
  static ModelShape of(ModelConfig config, int slidingWindow) {
    if (slidingWindow <= 0 || slidingWindow >= config.contextLength())
      return new ModelShape(config, List.of());
    return new ModelShape(
        config.withContextLength(slidingWindow),
        List.of(
            "The context is limited to %d of %d tokens, because attention over a sliding window is not supported."
                .formatted(slidingWindow, config.contextLength())));
  }
}
