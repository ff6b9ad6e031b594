package dev.stator.model.text.template;

import java.util.LinkedHashMap;
import java.util.Map;

/** The one value that a template can change: {@code {% set ns.name = value %}}. */
final class Namespace implements AttributeHolder {
  private final Map<String, Object> attributes = new LinkedHashMap<>();

  /** Whether it is just being printed, so that one which contains itself ends. */
  private boolean printing;

  void set(String name, Object value) {
    attributes.put(name, value);
  }

  Map<String, Object> attributes() {
    return attributes;
  }

  boolean isPrinting() {
    return printing;
  }

  void setPrinting(boolean printing) {
    this.printing = printing;
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
