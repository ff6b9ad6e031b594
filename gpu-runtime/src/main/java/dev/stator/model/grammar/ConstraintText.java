package dev.stator.model.grammar;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Constraints as JSON: an object whose only name is the kind. */
final class ConstraintText {
  private static final JsonMapper JSON = new JsonMapper();

  private ConstraintText() {}

  static String write(Constraint constraint) {
    return node(constraint).toString();
  }

  private static ObjectNode node(Constraint constraint) {
    final ObjectNode node = JsonNodeFactory.instance.objectNode();
    switch (constraint) {
      case Constraint.Text(String text) -> node.put("text", text);
      case Constraint.ControlToken(String text) -> node.put("token", text);
      case Constraint.JsonSchema(String schema) -> node.put("schema", schema);
      case Constraint.Regex(String pattern) -> node.put("regex", pattern);
      case Constraint.Gbnf(String grammar) -> node.put("gbnf", grammar);
      case Constraint.OneOf(List<Constraint> options) -> addAll(node.putArray("one"), options);
      case Constraint.Sequence(List<Constraint> parts) -> addAll(node.putArray("all"), parts);
      case Constraint.Repeated(Constraint part) -> node.set("any", node(part));
    }
    return node;
  }

  private static void addAll(ArrayNode array, List<Constraint> constraints) {
    for (Constraint constraint : constraints) array.add(node(constraint));
  }

  static Constraint read(String text) {
    try {
      return constraint(JSON.readTree(text));
    } catch (JsonProcessingException notJson) {
      throw new ConstraintException("", "this is no constraint");
    }
  }

  private static Constraint constraint(JsonNode node) {
    if (!node.isObject() || node.size() != 1) {
      throw new ConstraintException("", "this is no constraint");
    }
    final Map.Entry<String, JsonNode> only = node.properties().iterator().next();
    final JsonNode value = only.getValue();
    return switch (only.getKey()) {
      case "text" -> new Constraint.Text(value.asText());
      case "token" -> new Constraint.ControlToken(value.asText());
      case "schema" -> new Constraint.JsonSchema(value.asText());
      case "regex" -> new Constraint.Regex(value.asText());
      case "gbnf" -> new Constraint.Gbnf(value.asText());
      case "one" -> new Constraint.OneOf(constraints(value));
      case "all" -> new Constraint.Sequence(constraints(value));
      case "any" -> new Constraint.Repeated(constraint(value));
      default -> throw new ConstraintException("", "this is no constraint");
    };
  }

  private static List<Constraint> constraints(JsonNode array) {
    final List<Constraint> constraints = new ArrayList<>();
    for (JsonNode element : array) constraints.add(constraint(element));
    return constraints;
  }
}
