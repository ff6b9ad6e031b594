package dev.stator.model.text.template;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Filters that make text. They take any value as its text. */
final class TextFilters {
  private static final Pattern WORD_START =
      Pattern.compile("[-\\s({\\[<]+", Pattern.UNICODE_CHARACTER_CLASS);
  private static final Pattern WORD = Pattern.compile("\\w+", Pattern.UNICODE_CHARACTER_CLASS);
  private static final int CENTER_WIDTH = 80;
  private static final int INDENT_WIDTH = 4;
  private static final int TRUNCATE_LENGTH = 255;
  private static final int TRUNCATE_LEEWAY = 5;

  private TextFilters() {}

  static void addTo(Map<String, Method<Object>> filters) {
    addSimple(filters, "upper", text -> text.toUpperCase(Locale.ROOT));
    addSimple(filters, "lower", text -> text.toLowerCase(Locale.ROOT));
    addSimple(filters, "capitalize", LetterCase::capitalize);
    addSimple(filters, "title", TextFilters::title);
    addSimple(filters, "string", UnaryOperator.identity());
    addSimple(filters, "safe", UnaryOperator.identity());
    for (final String name : List.of("e", "escape", "forceescape")) {
      add(filters, TextFilters::escape, name);
    }
    add(
        filters,
        (b, v, a) -> StringMethods.strip(b, Repr.str(b, v), a[0], true, true),
        "trim",
        "chars?");
    add(filters, (b, v, a) -> center(b, v, a[0]), "center", "width?");
    add(filters, TextFilters::replace, "replace", "old", "new", "count?");
    add(filters, TextFilters::indent, "indent", "width?", "first?", "blank?");
    add(filters, TextFilters::truncate, "truncate", "length?", "killwords?", "end?", "leeway?");
    add(filters, (b, v, a) -> WORD.matcher(b.paid(Repr.str(b, v))).results().count(), "wordcount");
    add(
        filters,
        TextFilters::toJson,
        "tojson",
        "ensure_ascii?",
        "indent?",
        "separators?",
        "sort_keys?");
    filters.put("format", TextFilters::format);
  }

  private static void add(
      Map<String, Method<Object>> filters,
      Method.Body<Object> body,
      String name,
      String... parameters) {
    filters.put(name, Method.of(Signature.of(name, parameters), body));
  }

  private static void addSimple(
      Map<String, Method<Object>> filters, String name, UnaryOperator<String> change) {
    add(filters, (budget, value, a) -> budget.paid(change.apply(Repr.str(budget, value))), name);
  }

  static boolean isGiven(Object value) {
    return value != null && value != NoneValue.NONE;
  }

  private static boolean isTrue(Object value) {
    return value != null && Types.isTrue(value);
  }

  private static String title(String text) {
    final StringBuilder out = new StringBuilder();
    final Matcher gap = WORD_START.matcher(text);
    int from = 0;
    while (gap.find()) {
      out.append(titleWord(text.substring(from, gap.start()))).append(gap.group());
      from = gap.end();
    }
    return out.append(titleWord(text.substring(from))).toString();
  }

  private static String titleWord(String word) {
    if (word.isEmpty()) {
      return word;
    }
    final int end = Character.charCount(word.codePointAt(0));
    return word.substring(0, end).toUpperCase(Locale.ROOT)
        + word.substring(end).toLowerCase(Locale.ROOT);
  }

  private static Object escape(Budget budget, Object value, Object[] a) {
    final String text = Repr.str(budget, value);
    final TextBuilder out = new TextBuilder(budget);
    int from = 0;
    for (int i = 0; i < text.length(); i++) {
      final String entity = entity(text.charAt(i));
      if (entity != null) {
        out.append(text.substring(from, i)).append(entity);
        from = i + 1;
      }
    }
    return out.append(text.substring(from)).toString();
  }

  private static String entity(char c) {
    return switch (c) {
      case '&' -> "&amp;";
      case '<' -> "&lt;";
      case '>' -> "&gt;";
      case '\'' -> "&#39;";
      case '"' -> "&#34;";
      default -> null;
    };
  }

  private static String center(Budget budget, Object value, Object width) {
    return Padding.center(
        budget, Repr.str(budget, value), width == null ? CENTER_WIDTH : Numbers.count(width), null);
  }

  private static Object replace(Budget budget, Object value, Object[] a) {
    final Object count = isGiven(a[2]) ? a[2] : null;
    final Object[] texts = {Repr.str(budget, a[0]), Repr.str(budget, a[1]), count};
    return StringMethods.replace(budget, Repr.str(budget, value), texts);
  }

  private static Object indent(Budget budget, Object value, Object[] a) {
    if (value instanceof Undefined undefined) {
      throw undefined.fault();
    }
    final String text = StringMethods.string(value);
    final int width =
        a[0] == null ? INDENT_WIDTH : a[0] instanceof String ? 0 : Math.max(0, Numbers.count(a[0]));
    budget.text(width);
    final String indent = a[0] instanceof String given ? given : " ".repeat(width);
    final boolean blanks = isTrue(a[2]);
    final TextBuilder out = new TextBuilder(budget);
    final List<String> lines = Splitting.lines(budget, text + "\n", false);
    for (int i = 0; i < lines.size(); i++) {
      out.append(i == 0 ? "" : "\n");
      out.append(
          i == 0 ? (isTrue(a[1]) ? indent : "") : blanks || !lines.get(i).isEmpty() ? indent : "");
      out.append(lines.get(i));
    }
    return out.toString();
  }

  private static Object truncate(Budget budget, Object value, Object[] a) {
    final int length = a[0] == null ? TRUNCATE_LENGTH : Numbers.count(a[0]);
    final String end = a[2] == null ? "..." : StringMethods.string(a[2]);
    final int leeway = isGiven(a[3]) ? Numbers.count(a[3]) : TRUNCATE_LEEWAY;
    final int kept = length - Text.length(end);
    if (kept < 0 || leeway < 0) {
      throw new TemplateFault("truncate() has no room for its end '" + end + "'");
    }
    if (Types.length(budget, value) <= (long) length + leeway) {
      return value;
    }
    final String start = Text.between(StringMethods.string(value), 0, kept);
    final int space = isTrue(a[1]) ? -1 : start.lastIndexOf(' ');
    return budget.paid((space < 0 ? start : start.substring(0, space)) + end);
  }

  private static Object toJson(Budget budget, Object value, Object[] a) {
    final Object indent = isGiven(a[1]) ? a[1] : null;
    return JsonText.of(
        budget, value, isTrue(a[0]), indent, isGiven(a[2]) ? a[2] : null, isTrue(a[3]));
  }

  private static Object format(Budget budget, Object value, Arguments arguments) {
    if (!arguments.positional().isEmpty() && !arguments.named().isEmpty()) {
      throw new TemplateFault("format() takes values by position or by name, not both");
    }
    Object values = new TupleValue(budget, arguments.positional());
    if (!arguments.named().isEmpty()) {
      final DictValue.Builder dict = new DictValue.Builder(budget);
      arguments.named().forEach(dict::put);
      values = dict.build();
    }
    return PercentFormat.format(budget, Repr.str(budget, value), values);
  }
}
