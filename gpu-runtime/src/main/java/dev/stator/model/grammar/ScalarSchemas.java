package dev.stator.model.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;

/** Strings and numbers of a JSON schema. */
final class ScalarSchemas {
  private ScalarSchemas() {}

  static Expression string(ObjectNode schema, JsonForms json, int nestingMax, String place) {
    final boolean isCounted = schema.has("minLength") || schema.has("maxLength");
    final boolean hasPattern = schema.has("pattern");
    final boolean hasFormat = schema.has("format");
    if (isCounted && (hasPattern || hasFormat) || hasPattern && hasFormat) {
      throw new ConstraintException(
          place,
          "a string can have a length, a 'pattern' or a 'format', two of them are not supported");
    }
    if (hasPattern) {
      final String pattern = text(schema, "pattern", place);
      return within(
          place + "/pattern", () -> StringForms.quoted(RegexParser.found(pattern, nestingMax)));
    }
    if (hasFormat) {
      final String pattern = StringForms.format(text(schema, "format", place));
      if (pattern == null) {
        throw new ConstraintException(
            place + "/format",
            "the format '%s' is not supported".formatted(schema.get("format").asText()));
      }
      return StringForms.quoted(RegexParser.whole(pattern, nestingMax));
    }
    if (!isCounted) return json.string();
    final int min = count(schema, "minLength", 0, place);
    final int max = count(schema, "maxLength", Expression.UNBOUNDED, place);
    if (max != Expression.UNBOUNDED && max < min) return Expression.characters(CharacterSet.EMPTY);
    return Expression.sequence(
        Expression.text("\""),
        new Expression.Repeated(JsonForms.STRING_CHARACTER, min, max),
        Expression.text("\""));
  }

  private interface Parsing {
    Expression parse();
  }

  /** A fault in a text that stands somewhere in the schema names both places. */
  private static Expression within(String place, Parsing parsing) {
    try {
      return parsing.parse();
    } catch (ConstraintException fault) {
      throw fault.within(place);
    }
  }

  private static String text(ObjectNode schema, String keyword, String place) {
    final JsonNode value = schema.get(keyword);
    if (value.isTextual()) return value.textValue();
    throw new ConstraintException(
        place + "/" + keyword, "'%s' must be a string".formatted(keyword));
  }

  /** A keyword's count, or {@code whenAbsent}. */
  static int count(ObjectNode schema, String keyword, int whenAbsent, String place) {
    final JsonNode value = schema.get(keyword);
    if (value == null) return whenAbsent;
    final boolean isWhole =
        value.isNumber() && value.decimalValue().stripTrailingZeros().scale() <= 0;
    if (!isWhole || value.decimalValue().signum() < 0) {
      throw new ConstraintException(
          place + "/" + keyword,
          "'%s' must be a whole number that is not negative".formatted(keyword));
    }
    return value.decimalValue().min(BigDecimal.valueOf(Integer.MAX_VALUE)).intValue();
  }

  static Expression number(ObjectNode schema, boolean isInteger, String place) {
    boolean isWhole = isInteger;
    if (schema.has("multipleOf")) {
      final BigDecimal step = bound(schema, "multipleOf", place);
      if (step.compareTo(BigDecimal.ONE) != 0) {
        throw new ConstraintException(
            place + "/multipleOf", "'multipleOf' is only supported with 1");
      }
      isWhole = true;
    }
    final BigDecimal least = bound(schema, "minimum", place);
    final BigDecimal above = bound(schema, "exclusiveMinimum", place);
    final BigDecimal most = bound(schema, "maximum", place);
    final BigDecimal below = bound(schema, "exclusiveMaximum", place);
    if (least == null && above == null && most == null && below == null) {
      return isWhole ? JsonForms.INTEGER : JsonForms.NUMBER;
    }
    final boolean isLowExcluded = above != null && (least == null || above.compareTo(least) >= 0);
    final boolean isHighExcluded = below != null && (most == null || below.compareTo(most) <= 0);
    final NumberRange range =
        new NumberRange(
            isLowExcluded ? above : least,
            !isLowExcluded,
            isHighExcluded ? below : most,
            !isHighExcluded);
    if (!range.isWritable()) {
      throw new ConstraintException(
          place, "a bound of a number has more than %d digits".formatted(NumberRange.DIGITS_MAX));
    }
    return isWhole ? range.integers() : range.numbers();
  }

  private static BigDecimal bound(ObjectNode schema, String keyword, String place) {
    final JsonNode value = schema.get(keyword);
    if (value == null) return null;
    if (value.isNumber()) return value.decimalValue();
    throw new ConstraintException(
        place + "/" + keyword, "'%s' must be a number".formatted(keyword));
  }
}
