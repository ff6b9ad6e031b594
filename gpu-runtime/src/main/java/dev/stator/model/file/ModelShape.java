package dev.stator.model.file;

import dev.stator.model.ModelConfig;
import java.util.List;

/**
 * What a file says about a model's shape.
 *
 * @param names what its tensors are called
 * @param notes what the user should know about how it was read, one sentence each
 */
record ModelShape(ModelConfig config, TensorNames names, List<String> notes) {
  ModelShape {
    notes = List.copyOf(notes);
  }
}
