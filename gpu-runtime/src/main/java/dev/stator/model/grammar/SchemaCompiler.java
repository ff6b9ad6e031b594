package dev.stator.model.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Makes a grammar of a JSON schema (draft 2020-12, and what older ones have in common with it).
 *
 * <p>What is written is always valid; not all that is valid is written: properties come in the
 * schema's order, others only where {@code additionalProperties} asks for them, and where a schema
 * names no type, its keywords tell it. A keyword that would have to be ignored is refused.
 */
final class SchemaCompiler {
  private static final Set<String> OBJECT =
      Set.of("properties", "required", "additionalProperties", "minProperties", "maxProperties");
  private static final Set<String> ARRAY =
      Set.of("items", "prefixItems", "minItems", "maxItems", "uniqueItems");
  private static final Set<String> STRING = Set.of("minLength", "maxLength", "pattern", "format");
  private static final Set<String> NUMBER =
      Set.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf");
  private static final Set<String> ANY =
      Set.of("type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref");

  private record Pending(int rule, JsonNode schema, String place) {}

  private final SchemaSource source;
  private final RuleTable rules;
  private final JsonForms json;
  private final int nestingMax;
  private final Map<String, Integer> ruleOf = new HashMap<>(); // By the reference's text.
  private final Deque<Pending> pending = new ArrayDeque<>();
  private int nesting;
  private int schemasLeft;

  private SchemaCompiler(
      SchemaSource source, RuleTable rules, JsonForms json, GrammarSettings settings) {
    this.source = source;
    this.rules = rules;
    this.json = json;
    this.nestingMax = settings.nestingMax();
    this.schemasLeft = settings.statesMax(); // Each that says something needs a state.
  }

  /** The values that a schema allows, as JSON texts. */
  static Expression compile(
      String schema, RuleTable rules, JsonForms json, GrammarSettings settings) {
    final SchemaSource source = new SchemaSource(schema, settings.nestingMax());
    final SchemaCompiler compiler = new SchemaCompiler(source, rules, json, settings);
    final Expression whole = compiler.schema(source.root(), "");
    while (!compiler.pending.isEmpty()) {
      final Pending next = compiler.pending.poll();
      rules.define(next.rule, compiler.schema(next.schema, next.place));
    }
    return whole;
  }

  private Expression schema(JsonNode schema, String place) {
    if (schema.isBoolean()) {
      return schema.booleanValue() ? json.value() : Expression.characters(CharacterSet.EMPTY);
    }
    if (!(schema instanceof ObjectNode object)) {
      throw new ConstraintException(
          place, "a schema must be an object or a boolean, not " + excerpt(schema));
    }
    enter(place);
    final Expression expression = keywords(object, place);
    nesting--;
    return expression;
  }

  private void enter(String place) {
    if (nesting == nestingMax) {
      throw new ConstraintException(
          place,
          "more than %d schemas within each other, the limit stator.grammar.nesting-max"
              .formatted(nestingMax));
    }
    if (schemasLeft-- == 0) {
      throw new ConstraintException(
          place, "the schema needs too many states (stator.grammar.states-max)");
    }
    nesting++;
  }

  private static String excerpt(JsonNode node) {
    final String text = node.toString();
    return text.length() <= 40 ? text : text.substring(0, 40) + "…";
  }

  private Expression keywords(ObjectNode schema, String place) {
    refuseUnknown(schema, place);
    if (SchemaSource.isReference(schema)) return reference(schema, place);
    if (schema.has("$ref")) return schema(source.resolved(schema, place), place);
    if (schema.has("allOf")) return schema(joined(schema, place), place);
    for (String choice : List.of("anyOf", "oneOf")) {
      if (schema.has(choice)) return choice(schema, choice, place);
    }
    if (schema.has("const") || schema.has("enum")) return constants(schema, place);
    final JsonNode types = schema.get("type");
    if (types == null) return ofType(impliedType(schema), schema, place);
    final List<Expression> options = new ArrayList<>();
    for (String type : SchemaMerger.typeList(types)) options.add(ofType(type, schema, place));
    if (options.isEmpty()) throw new ConstraintException(place + "/type", "'type' names no type");
    return new Expression.OneOf(options);
  }

  private static void refuseUnknown(ObjectNode schema, String place) {
    for (Map.Entry<String, JsonNode> keyword : schema.properties()) {
      final String name = keyword.getKey();
      final boolean isKnown =
          SchemaSource.ANNOTATIONS.contains(name)
              || ANY.contains(name)
              || OBJECT.contains(name)
              || ARRAY.contains(name)
              || STRING.contains(name)
              || NUMBER.contains(name);
      if (!isKnown) {
        throw new ConstraintException(
            place + "/" + name, "the schema keyword '%s' is not supported".formatted(name));
      }
    }
  }

  private Expression reference(ObjectNode schema, String place) {
    final String reference = schema.get("$ref").asText();
    final JsonNode target = source.target(schema.get("$ref"), place);
    final Integer known = ruleOf.get(reference);
    if (known != null) return new Expression.Call(known);
    final int rule = rules.declare("$ref " + reference);
    ruleOf.put(reference, rule);
    pending.add(new Pending(rule, target, reference.substring(1)));
    return new Expression.Call(rule);
  }

  private JsonNode joined(ObjectNode schema, String place) {
    final ObjectNode rest = SchemaSource.assertions(schema);
    rest.remove("allOf");
    JsonNode joined = rest;
    int index = 0;
    for (JsonNode part : list(schema, "allOf", place)) {
      final String partPlace = place + "/allOf/" + index++;
      joined = new SchemaMerger(source, partPlace).merged(joined, flat(part, partPlace));
    }
    return joined;
  }

  /** A part whose own parts have been joined, so that it can be joined itself. */
  private JsonNode flat(JsonNode part, String place) {
    final JsonNode resolved = source.resolved(part, place);
    if (!(resolved instanceof ObjectNode object) || !object.has("allOf")) return resolved;
    enter(place);
    final JsonNode joined = joined(object, place);
    nesting--;
    return joined;
  }

  private Expression choice(ObjectNode schema, String keyword, String place) {
    final ObjectNode rest = SchemaSource.assertions(schema);
    rest.remove(keyword);
    final List<JsonNode> options = new ArrayList<>();
    final List<Expression> expressions = new ArrayList<>();
    for (JsonNode option : list(schema, keyword, place)) {
      final String optionPlace = place + "/" + keyword + "/" + options.size();
      final JsonNode whole =
          rest.isEmpty()
              ? option
              : new SchemaMerger(source, optionPlace).merged(rest, flat(option, optionPlace));
      options.add(source.resolved(whole, optionPlace));
      expressions.add(schema(whole, optionPlace));
    }
    if (keyword.equals("oneOf") && !new DisjointSchemas(source).areDisjoint(options)) {
      throw new ConstraintException(
          place + "/oneOf",
          "'oneOf' is only supported where its schemas exclude each other for sure; 'anyOf' may be"
              + " meant");
    }
    return new Expression.OneOf(expressions);
  }

  private static JsonNode list(ObjectNode schema, String keyword, String place) {
    final JsonNode list = schema.get(keyword);
    if (list.isArray() && !list.isEmpty()) return list;
    throw new ConstraintException(
        place + "/" + keyword, "'%s' must be a list of schemas".formatted(keyword));
  }

  private Expression constants(ObjectNode schema, String place) {
    for (Map.Entry<String, JsonNode> keyword : SchemaSource.assertions(schema).properties()) {
      if (Set.of("type", "enum", "const").contains(keyword.getKey())) continue;
      throw new ConstraintException(
          place + "/" + keyword.getKey(),
          "'%s' is not supported beside 'enum' or 'const'".formatted(keyword.getKey()));
    }
    final List<JsonNode> values = new ArrayList<>();
    if (schema.has("enum")) list(schema, "enum", place).forEach(values::add);
    if (schema.has("const")) {
      final JsonNode only = schema.get("const");
      if (schema.has("enum")) values.removeIf(value -> !value.equals(only));
      else values.add(only);
    }
    final List<Expression> options = new ArrayList<>();
    for (JsonNode value : values) {
      if (!schema.has("type")
          || DisjointSchemas.isOf(value, SchemaMerger.typeList(schema.get("type")))) {
        options.add(constant(value, place));
      }
    }
    return new Expression.OneOf(options);
  }

  private Expression constant(JsonNode value, String place) {
    if (value.isTextual()) return StringForms.constant(wellFormed(value.textValue(), place));
    if (value.isObject()) {
      final List<Expression.Member> members = new ArrayList<>();
      for (Map.Entry<String, JsonNode> entry : value.properties()) {
        final Expression key = StringForms.constant(wellFormed(entry.getKey(), place));
        members.add(
            new Expression.Member(json.member(key, constant(entry.getValue(), place)), true));
      }
      return json.object(members, null);
    }
    if (value.isArray()) {
      final List<Expression> elements = new ArrayList<>();
      value.forEach(element -> elements.add(constant(element, place)));
      return json.array(elements, null, elements.size(), elements.size());
    }
    return Expression.text(value.toString());
  }

  private static String wellFormed(String text, String place) {
    if (StringForms.isWellFormed(text)) return text;
    throw new ConstraintException(place, "a text has half a character (an unpaired surrogate)");
  }

  private static String impliedType(ObjectNode schema) {
    for (Map.Entry<String, JsonNode> keyword : schema.properties()) {
      final String name = keyword.getKey();
      if (OBJECT.contains(name)) return "object";
      if (ARRAY.contains(name)) return "array";
      if (STRING.contains(name)) return "string";
      if (NUMBER.contains(name)) return "number";
    }
    return "";
  }

  private Expression ofType(String type, ObjectNode schema, String place) {
    return switch (type) {
      case "" -> json.value();
      case "object" -> object(schema, place);
      case "array" -> array(schema, place);
      case "string" -> string(schema, place);
      case "number", "integer" -> number(schema, type.equals("integer"), place);
      case "boolean" -> Expression.oneOf(Expression.text("true"), Expression.text("false"));
      case "null" -> Expression.text("null");
      default -> throw new ConstraintException(place + "/type", "'%s' is no type".formatted(type));
    };
  }

  private Expression object(ObjectNode schema, String place) {
    final JsonNode properties = schema.path("properties");
    if (!properties.isMissingNode() && !properties.isObject()) {
      throw new ConstraintException(place + "/properties", "'properties' must be an object");
    }
    final List<String> required = required(schema, place);
    final JsonNode further = schema.get("additionalProperties");
    final boolean isOpen =
        further == null
            ? properties.isMissingNode()
            : !further.isBoolean() || further.booleanValue();
    final List<Expression.Member> members = new ArrayList<>();
    final List<String> names = new ArrayList<>();
    for (Map.Entry<String, JsonNode> property : properties.properties()) {
      final String name = wellFormed(property.getKey(), place + "/properties");
      final String propertyPlace = place + "/properties/" + escaped(name);
      final Expression value = schema(property.getValue(), propertyPlace);
      members.add(member(name, value, required.contains(name)));
      names.add(name);
    }
    final boolean isAnything = further == null || further.isBoolean();
    final String furtherPlace = place + "/additionalProperties";
    Expression furtherValue = Expression.characters(CharacterSet.EMPTY);
    if (further == null || isOpen) {
      furtherValue = isAnything ? json.value() : schema(further, furtherPlace);
    }
    for (String name : required) {
      if (names.contains(name)) continue;
      members.add(member(name, furtherValue, true));
      names.add(name);
    }
    checkCounts(schema, required.size(), place);
    return json.object(members, isOpen ? json.member(otherName(names), furtherValue) : null);
  }

  private Expression.Member member(String name, Expression value, boolean isRequired) {
    return new Expression.Member(json.member(StringForms.constant(name), value), isRequired);
  }

  /** A name that is none of these, without escapes, by which it could be one after all. */
  private Expression otherName(List<String> names) {
    if (names.isEmpty()) return json.string();
    return Expression.sequence(
        Expression.text("\""),
        new Expression.Except(names, JsonForms.PLAIN),
        Expression.text("\""));
  }

  private static String escaped(String name) {
    return name.replace("~", "~0").replace("/", "~1");
  }

  private static List<String> required(ObjectNode schema, String place) {
    final JsonNode required = schema.path("required");
    final List<String> names = new ArrayList<>();
    if (required.isMissingNode()) return names;
    if (!required.isArray()) {
      throw new ConstraintException(place + "/required", "'required' must be a list of names");
    }
    for (JsonNode name : required) {
      if (!name.isTextual()) {
        throw new ConstraintException(place + "/required", "'required' must be a list of names");
      }
      final String text = wellFormed(name.textValue(), place + "/required");
      if (!names.contains(text)) names.add(text);
    }
    return names;
  }

  private static void checkCounts(ObjectNode schema, int requiredCount, String place) {
    final int min = ScalarSchemas.count(schema, "minProperties", 0, place);
    if (min > requiredCount || schema.has("maxProperties")) {
      final String keyword = min > requiredCount ? "minProperties" : "maxProperties";
      throw new ConstraintException(
          place + "/" + keyword, "the schema keyword '%s' is not supported".formatted(keyword));
    }
  }

  private Expression array(ObjectNode schema, String place) {
    if (schema.path("uniqueItems").booleanValue()) {
      throw new ConstraintException(
          place + "/uniqueItems", "the schema keyword 'uniqueItems' is not supported");
    }
    final int min = ScalarSchemas.count(schema, "minItems", 0, place);
    final int max = ScalarSchemas.count(schema, "maxItems", Expression.UNBOUNDED, place);
    if (max != Expression.UNBOUNDED && max < min) return Expression.characters(CharacterSet.EMPTY);
    final List<Expression> first = new ArrayList<>();
    if (schema.has("prefixItems")) {
      for (JsonNode item : list(schema, "prefixItems", place)) {
        first.add(schema(item, place + "/prefixItems/" + first.size()));
      }
    }
    final JsonNode items = schema.get("items");
    if (items != null && items.isArray()) {
      throw new ConstraintException(
          place + "/items",
          "'items' must be one schema; for a list of them there is 'prefixItems'");
    }
    // Behind listed items others come only where they are asked for.
    Expression further = first.isEmpty() ? json.value() : null;
    if (items != null) {
      final boolean isNone = items.isBoolean() && !items.booleanValue();
      further = isNone ? null : schema(items, place + "/items");
    } else if (min > first.size()) {
      further = json.value();
    }
    if (further == null && min > first.size()) return Expression.characters(CharacterSet.EMPTY);
    return json.array(first, further, min, max);
  }

  private Expression string(ObjectNode schema, String place) {
    return ScalarSchemas.string(schema, json, nestingMax, place);
  }

  private static Expression number(ObjectNode schema, boolean isInteger, String place) {
    return ScalarSchemas.number(schema, isInteger, place);
  }
}
