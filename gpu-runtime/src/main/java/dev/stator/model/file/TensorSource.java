package dev.stator.model.file;

import dev.stator.model.WeightMatrix;
import java.util.List;
import java.util.Set;

/** The tensors of a model by name, whatever file they lie in. */
interface TensorSource {
  Set<String> names();

  default boolean has(String name) {
    return names().contains(name);
  }

  /**
   * The tensor as a matrix; one of one dimension is a row.
   *
   * @throws dev.stator.model.ModelFormatException when it is absent, of an unsupported type, or has
   *     more than two dimensions
   */
  WeightMatrix matrix(String name);

  /**
   * The matrices that a tensor of three dimensions is a stack of.
   *
   * @throws dev.stator.model.ModelFormatException when it is absent, of an unsupported type, or has
   *     not three dimensions
   */
  List<WeightMatrix> stack(String name);
}
