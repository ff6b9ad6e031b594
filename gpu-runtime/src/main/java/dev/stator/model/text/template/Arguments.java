package dev.stator.model.text.template;

import java.util.List;
import java.util.Map;

/** What a call passes. No value is null. */
record Arguments(List<Object> positional, Map<String, Object> named) {
  static final Arguments NONE = new Arguments(List.of(), Map.of());

  static Arguments of(Object... positional) {
    return new Arguments(List.of(positional), Map.of());
  }

  /** Without the first positional one. */
  Arguments rest() {
    return new Arguments(positional.subList(1, positional.size()), named);
  }
}
