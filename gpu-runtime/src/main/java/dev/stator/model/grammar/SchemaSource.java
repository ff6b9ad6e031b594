package dev.stator.model.grammar;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.Set;

/** A schema's text, and what its references point at. */
final class SchemaSource {
  static final Set<String> ANNOTATIONS =
      Set.of(
          "$schema",
          "$id",
          "$comment",
          "$defs",
          "definitions",
          "title",
          "description",
          "default",
          "example",
          "examples",
          "deprecated",
          "readOnly",
          "writeOnly");

  private final JsonNode root;
  private final int nestingMax;

  SchemaSource(String text, int nestingMax) {
    this.nestingMax = nestingMax;
    final JsonFactory factory =
        JsonFactory.builder()
            .streamReadConstraints(
                StreamReadConstraints.builder().maxNestingDepth(4 * nestingMax).build())
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();
    final JsonMapper json =
        JsonMapper.builder(factory)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
            .build();
    try {
      root = json.readTree(text);
    } catch (JsonProcessingException notJson) {
      throw new ConstraintException(
          "", "the schema is not valid JSON: " + notJson.getOriginalMessage());
    }
  }

  JsonNode root() {
    return root;
  }

  /**
   * What a schema says itself, its reference followed.
   *
   * @throws ConstraintException when references lead in a circle or to nothing
   */
  JsonNode resolved(JsonNode schema, String place) {
    JsonNode at = schema;
    for (int i = 0; i <= nestingMax; i++) {
      if (!at.isObject() || !at.has("$ref")) return at;
      final JsonNode target = target(at.get("$ref"), place);
      final ObjectNode beside = assertions((ObjectNode) at);
      beside.remove("$ref");
      if (beside.isEmpty()) at = target;
      else at = new SchemaMerger(this, place).merged(target, beside);
    }
    throw new ConstraintException(place, "this reference leads in a circle");
  }

  /** Whether a schema is a reference and nothing else. */
  static boolean isReference(JsonNode schema) {
    return schema.isObject() && schema.has("$ref") && assertions((ObjectNode) schema).size() == 1;
  }

  JsonNode target(JsonNode reference, String place) {
    final String text = reference.asText();
    final boolean isLocal = text.equals("#") || text.startsWith("#/");
    if (!reference.isTextual() || !isLocal) {
      throw new ConstraintException(
          place + "/$ref",
          "only references within the schema are supported, '#/...', not " + reference);
    }
    final JsonNode target = root.at(text.substring(1));
    if (target.isMissingNode()) {
      throw new ConstraintException(place + "/$ref", "the schema has nothing at " + reference);
    }
    return target;
  }

  /** A copy without what says nothing of values. */
  static ObjectNode assertions(ObjectNode schema) {
    final ObjectNode copy = JsonNodeFactory.instance.objectNode();
    for (Map.Entry<String, JsonNode> keyword : schema.properties()) {
      if (!ANNOTATIONS.contains(keyword.getKey())) copy.set(keyword.getKey(), keyword.getValue());
    }
    return copy;
  }
}
