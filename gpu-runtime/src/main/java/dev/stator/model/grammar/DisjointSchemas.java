package dev.stator.model.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Whether no value can be valid by two schemas: a check that says no when in doubt. */
final class DisjointSchemas {
  private static final Set<String> ALL_TYPES =
      Set.of("object", "array", "string", "number", "boolean", "null");

  private final SchemaSource source;

  DisjointSchemas(SchemaSource source) {
    this.source = source;
  }

  /** Each from each other. */
  boolean areDisjoint(List<JsonNode> schemas) {
    for (int i = 0; i < schemas.size(); i++) {
      for (int j = 0; j < i; j++) {
        if (!areDisjoint(schemas.get(i), schemas.get(j))) return false;
      }
    }
    return true;
  }

  private boolean areDisjoint(JsonNode left, JsonNode right) {
    final Set<String> shared = new HashSet<>(types(left));
    shared.retainAll(types(right));
    if (shared.isEmpty() && !types(left).isEmpty() && !types(right).isEmpty()) return true;
    final List<JsonNode> leftValues = values(left);
    final List<JsonNode> rightValues = values(right);
    if (leftValues != null && rightValues != null) {
      return leftValues.stream().noneMatch(rightValues::contains);
    }
    return shared.equals(Set.of("object")) && aPropertyTellsApart(left, right);
  }

  /** A property that both must have, with values of which none is allowed by both. */
  private boolean aPropertyTellsApart(JsonNode left, JsonNode right) {
    for (JsonNode name : left.path("required")) {
      boolean isRequiredByBoth = false;
      for (JsonNode other : right.path("required")) isRequiredByBoth |= other.equals(name);
      final JsonNode leftProperty = left.path("properties").path(name.asText());
      final JsonNode rightProperty = right.path("properties").path(name.asText());
      if (!isRequiredByBoth || leftProperty.isMissingNode() || rightProperty.isMissingNode())
        continue;
      final List<JsonNode> leftValues = values(source.resolved(leftProperty, ""));
      final List<JsonNode> rightValues = values(source.resolved(rightProperty, ""));
      if (leftValues != null
          && rightValues != null
          && leftValues.stream().noneMatch(rightValues::contains)) {
        return true;
      }
    }
    return false;
  }

  /** The only values that are allowed; {@code null} where they are not listed. */
  private static List<JsonNode> values(JsonNode schema) {
    if (schema.has("const")) return List.of(schema.get("const"));
    if (!schema.has("enum")) return null;
    final List<JsonNode> values = new ArrayList<>();
    schema.get("enum").forEach(values::add);
    return values;
  }

  private static Set<String> types(JsonNode schema) {
    final Set<String> types = new HashSet<>();
    if (schema.has("type")) {
      for (String type : SchemaMerger.typeList(schema.get("type"))) {
        types.add(type.equals("integer") ? "number" : type);
      }
      return types;
    }
    final List<JsonNode> values = values(schema);
    if (values == null) return ALL_TYPES;
    for (JsonNode value : values) {
      for (String type : ALL_TYPES) if (isOf(value, List.of(type))) types.add(type);
    }
    return types;
  }

  static boolean isOf(JsonNode value, List<String> types) {
    return switch (value.getNodeType()) {
      case OBJECT -> types.contains("object");
      case ARRAY -> types.contains("array");
      case STRING -> types.contains("string");
      case BOOLEAN -> types.contains("boolean");
      case NULL -> types.contains("null");
      case NUMBER -> {
        final boolean isWhole = value.decimalValue().stripTrailingZeros().scale() <= 0;
        yield types.contains("number") || isWhole && types.contains("integer");
      }
      case BINARY, MISSING, POJO -> false;
    };
  }
}
