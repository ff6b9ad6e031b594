package dev.stator.http;

import dev.stator.request.ServedModel;
import java.util.List;
import java.util.Optional;

/** The models that the cluster serves now. Any thread may ask; answers may change over time. */
public interface ModelCatalog {
  /** All of them, in the order in which they are listed to clients. */
  List<ServedModel> models();

  /** The model served under this name. */
  default Optional<ServedModel> find(String name) {
    return models().stream().filter(model -> model.name().equals(name)).findFirst();
  }

  /** A catalog that never changes. */
  static ModelCatalog of(ServedModel... models) {
    List<ServedModel> fixed = List.of(models);
    return () -> fixed;
  }
}
