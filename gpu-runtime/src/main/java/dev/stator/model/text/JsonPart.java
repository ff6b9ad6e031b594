package dev.stator.model.text;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.model.ModelFormatException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A part of a JSON file and where in it, so that a wrong value is named by its path.
 *
 * @param path such as {@code tokenizer.json: model.vocab}
 */
record JsonPart(JsonNode node, String path) {
  /** The field, or empty where it is missing or null. */
  Optional<JsonPart> optional(String name) {
    if (!node.isObject()) throw expected("an object");
    final JsonNode child = node.get(name);
    return child == null || child.isNull()
        ? Optional.empty()
        : Optional.of(new JsonPart(child, childPath(name)));
  }

  /** The field, which has to be there. */
  JsonPart required(String name) {
    return optional(name)
        .orElseThrow(() -> new ModelFormatException(childPath(name) + " is missing"));
  }

  /** The field {@code type}, which says what kind of thing the part describes. */
  String type() {
    return required("type").string();
  }

  String string() {
    if (!node.isTextual()) throw expected("a string");
    return node.textValue();
  }

  int integer() {
    if (!node.isIntegralNumber() || !node.canConvertToInt()) throw expected("a 32-bit integer");
    return node.intValue();
  }

  /** A boolean field, or what holds where it is missing. */
  boolean flag(String name, boolean unlessSaid) {
    final Optional<JsonPart> part = optional(name);
    if (part.isEmpty()) return unlessSaid;
    if (!part.get().node.isBoolean()) throw part.get().expected("true or false");
    return part.get().node.booleanValue();
  }

  /** The elements of an array. */
  List<JsonPart> elements() {
    if (!node.isArray()) throw expected("an array");
    final List<JsonPart> elements = new ArrayList<>(node.size());
    for (JsonNode element : node)
      elements.add(new JsonPart(element, "%s[%d]".formatted(path, elements.size())));
    return elements;
  }

  /** The fields of an object, in the file's order. */
  List<Map.Entry<String, JsonPart>> fields() {
    if (!node.isObject()) throw expected("an object");
    final List<Map.Entry<String, JsonPart>> fields = new ArrayList<>(node.size());
    for (Map.Entry<String, JsonNode> field : node.properties()) {
      fields.add(Map.entry(field.getKey(), new JsonPart(field.getValue(), path)));
    }
    return fields;
  }

  /** An error that says what the part is and what it should be. */
  ModelFormatException expected(String what) {
    final String found =
        node.isContainerNode()
            ? "an " + node.getNodeType().name().toLowerCase(Locale.ROOT)
            : Excerpt.of(node.asText());
    return new ModelFormatException("%s is %s, expected %s".formatted(path, found, what));
  }

  /** An error about something that is well-formed but asks for what is not there. */
  ModelFormatException unsupported(String what) {
    return new ModelFormatException("%s asks for %s, which is not supported".formatted(path, what));
  }

  private String childPath(String name) {
    return path.endsWith(":") ? path + " " + name : path + "." + name;
  }
}
