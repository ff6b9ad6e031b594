package dev.stator.model.text.template;

import java.util.LinkedHashMap;
import java.util.Map;

/** The one value that a template can change: {@code {% set ns.name = value %}}. */
final class Namespace implements AttributeHolder {
  private final Map<String, Object> attributes = new LinkedHashMap<>();

  void set(String name, Object value) {
    attributes.put(name, value);
  }

  Map<String, Object> attributes() {
    return attributes;
  }

  @Override
  public Object attribute(String name) {
    return attributes.get(name);
  }

  @Override
  public String typeName() {
    return "Namespace";
  }
}
