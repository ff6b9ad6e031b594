package dev.stator.model.text.template;

import java.util.HashMap;
import java.util.Map;

/** Names and their values within one block; what is not here is looked up around it. */
final class Scope {
  private final Scope outer;
  private final Map<String, Object> values;

  private Scope(Scope outer, Map<String, Object> values) {
    this.outer = outer;
    this.values = values;
  }

  /** The outermost scope. */
  static Scope root(Map<String, Object> values) {
    return new Scope(null, values);
  }

  Scope inner() {
    return inner(new HashMap<>());
  }

  /** A scope that takes over {@code values}. */
  Scope inner(Map<String, Object> values) {
    return new Scope(this, values);
  }

  void set(String name, Object value) {
    values.put(name, value);
  }

  Object get(String name) {
    for (Scope scope = this; scope != null; scope = scope.outer) {
      final Object value = scope.values.get(name);
      if (value != null) {
        return value;
      }
    }
    return Undefined.name(name);
  }
}
