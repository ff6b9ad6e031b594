package dev.stator.model.file;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.model.ModelFormatException;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/** The typed fields of a JSON object; {@code null} counts as absent. */
record JsonFields(JsonNode object) {
  OptionalInt int32(String key) {
    final JsonNode value = object.get(key);
    if (isAbsent(value)) return OptionalInt.empty();
    if (!value.isIntegralNumber() || !value.canConvertToInt())
      throw wrongType(key, value, "a 32-bit integer");
    return OptionalInt.of(value.intValue());
  }

  int requireInt(String key) {
    return int32(key).orElseThrow(() -> missing(key, "an integer"));
  }

  OptionalDouble number(String key) {
    final JsonNode value = object.get(key);
    if (isAbsent(value)) return OptionalDouble.empty();
    if (!value.isNumber()) throw wrongType(key, value, "a number");
    return OptionalDouble.of(value.doubleValue());
  }

  double requireNumber(String key) {
    return number(key).orElseThrow(() -> missing(key, "a number"));
  }

  Optional<Boolean> flag(String key) {
    final JsonNode value = object.get(key);
    if (isAbsent(value)) return Optional.empty();
    if (!value.isBoolean()) throw wrongType(key, value, "true or false");
    return Optional.of(value.booleanValue());
  }

  Optional<String> string(String key) {
    final JsonNode value = object.get(key);
    if (isAbsent(value)) return Optional.empty();
    if (!value.isTextual()) throw wrongType(key, value, "a string");
    return Optional.of(value.textValue());
  }

  String requireString(String key) {
    return string(key).orElseThrow(() -> missing(key, "a string"));
  }

  Optional<JsonFields> object(String key) {
    final JsonNode value = object.get(key);
    if (isAbsent(value)) return Optional.empty();
    if (!value.isObject()) throw wrongType(key, value, "an object");
    return Optional.of(new JsonFields(value));
  }

  static ModelFormatException wrongType(String key, JsonNode value, String expected) {
    final String found =
        value.isContainerNode()
            ? value.getNodeType().name().toLowerCase(Locale.ROOT)
            : Messages.quoted(value.asText());
    return new ModelFormatException("%s is %s, expected %s".formatted(key, found, expected));
  }

  private static ModelFormatException missing(String key, String expected) {
    return new ModelFormatException("there is no " + key + ", expected " + expected);
  }

  private static boolean isAbsent(JsonNode value) {
    return value == null || value.isNull();
  }
}
