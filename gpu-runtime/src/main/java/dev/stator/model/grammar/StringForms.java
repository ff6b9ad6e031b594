package dev.stator.model.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Texts as JSON strings, and the formats of JSON Schema that can be written as a pattern. */
final class StringForms {
  private static final int CONTROLS = 0x20;
  private static final String NAMED = "\"\\\b\f\n\r\t";
  private static final String NAMES = "\"\\bfnrt";

  private static final String DATE =
      "\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])"
          + "|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))";
  private static final String TIME =
      "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-](?:0\\d|1[0-3]):[0-5]\\d)";
  private static final String OCTET = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
  private static final String WORDS = "[A-Za-z0-9]{1,30}(?:-[A-Za-z0-9]{1,30})?";
  private static final String LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";

  /** Narrower than their standards where those leave much open. */
  private static final Map<String, String> FORMATS =
      Map.of(
          "date",
          DATE,
          "time",
          TIME,
          "date-time",
          DATE + "T" + TIME,
          "uuid",
          "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
          "ipv4",
          OCTET + "(?:\\." + OCTET + "){3}",
          "hostname",
          LABEL + "(?:\\." + LABEL + "){0,3}",
          "email",
          "[A-Za-z0-9_+-]{1,30}(?:\\.[A-Za-z0-9_+-]{1,30})?@"
              + WORDS
              + "(?:\\."
              + WORDS
              + ")?\\.[a-z]{2,6}");

  private StringForms() {}

  /** A pattern for a format; {@code null} for an unknown one. */
  static String format(String name) {
    return FORMATS.get(name);
  }

  /** A JSON string of exactly this value. */
  static Expression constant(String value) {
    return Expression.text(quoted(value));
  }

  static String quoted(String value) {
    final StringBuilder json = new StringBuilder("\"");
    value.codePoints().forEach(c -> json.append(encoded(c)));
    return json.append('"').toString();
  }

  static boolean isWellFormed(String text) {
    return StandardCharsets.UTF_8.newEncoder().canEncode(text);
  }

  private static String encoded(int character) {
    final int named = NAMED.indexOf(character);
    if (named >= 0) return "\\" + NAMES.charAt(named);
    if (character < CONTROLS) return "\\u%04x".formatted(character);
    return Character.toString(character);
  }

  /**
   * The JSON strings of the texts of an expression without calls; each character in its one usual
   * form.
   */
  static Expression quoted(Expression text) {
    return Expression.sequence(Expression.text("\""), inside(text), Expression.text("\""));
  }

  private static Expression inside(Expression text) {
    return switch (text) {
      case Expression.Text(String value) -> {
        final String json = quoted(value);
        yield Expression.text(json.substring(1, json.length() - 1));
      }
      case Expression.Characters(CharacterSet set) -> {
        final List<Expression> options = new ArrayList<>();
        options.add(Expression.characters(set.and(JsonForms.PLAIN)));
        for (int c = 0; c < CONTROLS; c++) {
          if (set.contains(c)) options.add(Expression.text(encoded(c)));
        }
        for (int c : new int[] {'"', '\\'}) {
          if (set.contains(c)) options.add(Expression.text(encoded(c)));
        }
        yield new Expression.OneOf(options);
      }
      case Expression.Sequence(var parts) ->
          new Expression.Sequence(parts.stream().map(StringForms::inside).toList());
      case Expression.OneOf(var options) ->
          new Expression.OneOf(options.stream().map(StringForms::inside).toList());
      case Expression.Repeated(var part, var min, var max) ->
          new Expression.Repeated(inside(part), min, max);
      case Expression.ControlToken token -> throw notText(token);
      case Expression.Call call -> throw notText(call);
      case Expression.Members members -> throw notText(members);
      case Expression.Except except -> throw notText(except);
    };
  }

  private static IllegalArgumentException notText(Expression expression) {
    return new IllegalArgumentException("no plain text: " + expression);
  }
}
