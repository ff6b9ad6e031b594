package dev.stator.model.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Makes one schema of two that both hold. */
final class SchemaMerger {
  private static final Set<String> LOWER_BOUNDS =
      Set.of("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties");
  private static final Set<String> UPPER_BOUNDS =
      Set.of("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties");
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private final SchemaSource source;
  private final String place;

  SchemaMerger(SchemaSource source, String place) {
    this.source = source;
    this.place = place;
  }

  JsonNode merged(JsonNode first, JsonNode second) {
    final JsonNode left = source.resolved(first, place);
    final JsonNode right = source.resolved(second, place);
    if (left.isBoolean()) return left.booleanValue() ? right : left;
    if (right.isBoolean()) return right.booleanValue() ? left : right;
    if (!(left instanceof ObjectNode leftObject) || !(right instanceof ObjectNode rightObject)) {
      throw new ConstraintException(place, "a schema must be an object or a boolean");
    }
    final ObjectNode merged = SchemaSource.assertions(leftObject);
    final ObjectNode added = SchemaSource.assertions(rightObject);
    refuseClosedObjects(merged, added);
    for (Map.Entry<String, JsonNode> keyword : added.properties()) {
      final JsonNode known = merged.get(keyword.getKey());
      if (known == null) {
        merged.set(keyword.getKey(), keyword.getValue());
      } else if (!known.equals(keyword.getValue())) {
        final JsonNode both = both(keyword.getKey(), known, keyword.getValue());
        if (both == null) return BooleanNode.FALSE;
        merged.set(keyword.getKey(), both);
      }
    }
    return merged;
  }

  /** One would forbid what the other names, which is more than can be said in one schema here. */
  private void refuseClosedObjects(ObjectNode left, ObjectNode right) {
    if (isClosed(left) && !names(left).containsAll(names(right))
        || isClosed(right) && !names(right).containsAll(names(left))) {
      throw new ConstraintException(
          place,
          "'additionalProperties' is not supported where schemas with other properties are"
              + " combined");
    }
  }

  private static boolean isClosed(ObjectNode schema) {
    final JsonNode further = schema.get("additionalProperties");
    return further != null && !(further.isBoolean() && further.booleanValue());
  }

  private static Set<String> names(ObjectNode schema) {
    final Set<String> names = new TreeSet<>();
    schema.path("properties").fieldNames().forEachRemaining(names::add);
    return names;
  }

  /** Two values of one keyword in one; {@code null} when nothing is left. */
  private JsonNode both(String keyword, JsonNode left, JsonNode right) {
    if (LOWER_BOUNDS.contains(keyword) && left.isNumber() && right.isNumber()) {
      return left.decimalValue().compareTo(right.decimalValue()) >= 0 ? left : right;
    }
    if (UPPER_BOUNDS.contains(keyword) && left.isNumber() && right.isNumber()) {
      return left.decimalValue().compareTo(right.decimalValue()) <= 0 ? left : right;
    }
    return switch (keyword) {
      case "type" -> types(left, right);
      case "enum" -> {
        final ArrayNode shared = JSON.arrayNode();
        for (JsonNode value : left) {
          for (JsonNode other : right) if (value.equals(other)) shared.add(value);
        }
        yield shared.isEmpty() ? null : shared;
      }
      case "const" -> null;
      case "required" -> {
        final Set<String> all = new LinkedHashSet<>();
        left.forEach(name -> all.add(name.asText()));
        right.forEach(name -> all.add(name.asText()));
        final ArrayNode names = JSON.arrayNode();
        all.forEach(names::add);
        yield names;
      }
      case "properties" -> {
        final ObjectNode all = JSON.objectNode();
        left.properties().forEach(entry -> all.set(entry.getKey(), entry.getValue()));
        right
            .properties()
            .forEach(entry -> {
              final JsonNode known = all.get(entry.getKey());
              all.set(
                  entry.getKey(), known == null ? entry.getValue() : all(known, entry.getValue()));
            });
        yield all;
      }
      case "items", "additionalProperties" -> all(left, right);
      default ->
          throw new ConstraintException(
              place, "two different '%s' that both hold are not supported".formatted(keyword));
    };
  }

  private static JsonNode all(JsonNode left, JsonNode right) {
    if (left.equals(right)) return left;
    final ObjectNode both = JSON.objectNode();
    both.putArray("allOf").add(left).add(right);
    return both;
  }

  private static JsonNode types(JsonNode left, JsonNode right) {
    final List<String> rightTypes = typeList(right);
    final Set<String> shared = new LinkedHashSet<>();
    for (String type : typeList(left)) {
      if (rightTypes.contains(type)) shared.add(type);
      else if (type.equals("integer") && rightTypes.contains("number")) shared.add(type);
      else if (type.equals("number") && rightTypes.contains("integer")) shared.add("integer");
    }
    if (shared.isEmpty()) return null;
    final ArrayNode types = JSON.arrayNode();
    shared.forEach(types::add);
    return types;
  }

  /** A type, or each of several. */
  static List<String> typeList(JsonNode types) {
    if (!types.isArray()) return List.of(types.asText());
    final List<String> names = new ArrayList<>();
    types.forEach(type -> names.add(type.asText()));
    return names;
  }
}
