package dev.stator.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Reads the fields of one JSON object, each by type and range. A fault is an {@link ApiException}
 * that names the field by its path in the body; {@code null} counts as absent, as with OpenAI.
 */
final class JsonFields {
  private final ObjectNode node;
  private final String path;
  private final Set<String> known = new HashSet<>();

  /**
   * @param path of this object in the body, such as {@code messages[2]}; empty for the body itself
   */
  JsonFields(ObjectNode node, String path) {
    this.node = node;
    this.path = path;
  }

  /** The object at {@code path}, which must be one. */
  static JsonFields of(JsonNode node, String path) {
    if (node instanceof ObjectNode object) return new JsonFields(object, path);
    throw new ApiException(ApiError.wrongType(path, "an object", node));
  }

  ObjectNode node() {
    return node;
  }

  String path(String name) {
    return path.isEmpty() ? name : path + "." + name;
  }

  /** Fields that nobody has asked for, to be logged. */
  List<String> unknown() {
    return node.propertyStream()
        .map(Map.Entry::getKey)
        .filter(name -> !known.contains(name))
        .toList();
  }

  /** The field, or {@code null} when it is absent or null. */
  JsonNode get(String name) {
    known.add(name);
    JsonNode value = node.get(name);
    return value == null || value.isNull() ? null : value;
  }

  boolean has(String name) {
    return get(name) != null;
  }

  /** Fields that are read by others, or mean nothing here: they are not unknown. */
  void ignore(Iterable<String> names) {
    names.forEach(known::add);
  }

  Optional<String> text(String name) {
    JsonNode value = get(name);
    if (value == null) return Optional.empty();
    if (!value.isTextual()) throw wrongType(name, "a string", value);
    return Optional.of(value.textValue());
  }

  String requiredText(String name) {
    return text(name).orElseThrow(() -> new ApiException(ApiError.missing(path(name))));
  }

  boolean flag(String name, boolean whenAbsent) {
    JsonNode value = get(name);
    if (value == null) return whenAbsent;
    if (!value.isBoolean()) throw wrongType(name, "a boolean", value);
    return value.booleanValue();
  }

  OptionalInt integer(String name, int min, int max) {
    JsonNode value = get(name);
    return value == null
        ? OptionalInt.empty()
        : OptionalInt.of(integer(value, path(name), min, max));
  }

  /** An integer at any place of the body. */
  static int integer(JsonNode value, String path, int min, int max) {
    if (!value.isIntegralNumber()) {
      throw new ApiException(ApiError.wrongType(path, "an integer", value));
    }
    if (!value.canConvertToInt() || value.intValue() < min || value.intValue() > max) {
      String range =
          max == Integer.MAX_VALUE ? "an integer >= " + min : "between " + min + " and " + max;
      throw new ApiException(ApiError.wrongValue(path, range, value));
    }
    return value.intValue();
  }

  OptionalLong integer64(String name) {
    JsonNode value = get(name);
    if (value == null) return OptionalLong.empty();
    if (!value.isIntegralNumber()) throw wrongType(name, "an integer", value);
    if (!value.canConvertToLong()) {
      throw new ApiException(ApiError.wrongValue(path(name), "a 64-bit integer", value));
    }
    return OptionalLong.of(value.longValue());
  }

  OptionalDouble number(String name, double min, double max) {
    JsonNode value = get(name);
    return value == null
        ? OptionalDouble.empty()
        : OptionalDouble.of(number(value, path(name), min, max));
  }

  /** A number at any place of the body. */
  static double number(JsonNode value, String path, double min, double max) {
    if (!value.isNumber()) throw new ApiException(ApiError.wrongType(path, "a number", value));
    double number = value.doubleValue();
    if (!(number >= min && number <= max)) {
      throw new ApiException(
          ApiError.wrongValue(path, "between " + plain(min) + " and " + plain(max), value));
    }
    return number;
  }

  /** A number that is greater than 0. */
  OptionalDouble positive(String name, double max) {
    JsonNode value = get(name);
    if (value == null) return OptionalDouble.empty();
    if (!value.isNumber()) throw wrongType(name, "a number", value);
    double number = value.doubleValue();
    if (number > 0 && number <= max) return OptionalDouble.of(number);
    String expected = "greater than 0 and at most " + plain(max);
    throw new ApiException(ApiError.wrongValue(path(name), expected, value));
  }

  Optional<JsonFields> object(String name) {
    JsonNode value = get(name);
    return value == null ? Optional.empty() : Optional.of(of(value, path(name)));
  }

  /** An array of at most {@code lengthMax} elements; {@code null} when absent. */
  ArrayNode array(String name, int lengthMax) {
    JsonNode value = get(name);
    if (value == null) return null;
    if (!(value instanceof ArrayNode array)) throw wrongType(name, "an array", value);
    checkLength(array, path(name), lengthMax);
    return array;
  }

  static void checkLength(JsonNode container, String path, int lengthMax) {
    if (container.size() <= lengthMax) return;
    throw new ApiException(
        ApiError.invalid(
            "array_above_max_length",
            path,
            "'%s' must have at most %d entries, but has %d."
                .formatted(path, lengthMax, container.size())));
  }

  private ApiException wrongType(String name, String expected, JsonNode found) {
    return new ApiException(ApiError.wrongType(path(name), expected, found));
  }

  private static String plain(double bound) {
    return bound == Math.rint(bound) ? Long.toString((long) bound) : Double.toString(bound);
  }
}
