package dev.stator.model.text.template;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Values as JSON: Python's {@code json.dumps}, as Hugging Face's {@code tojson} calls it. */
final class JsonText {
  private final TextBuilder out;
  private final boolean asciiOnly;
  private final boolean sortsKeys;

  /** One level's indent, or null for one line. */
  private final String indent;

  private final String itemSeparator;
  private final String keySeparator;

  private JsonText(
      TextBuilder out,
      boolean asciiOnly,
      boolean sortsKeys,
      String indent,
      String itemSeparator,
      String keySeparator) {
    this.out = out;
    this.asciiOnly = asciiOnly;
    this.sortsKeys = sortsKeys;
    this.indent = indent;
    this.itemSeparator = itemSeparator;
    this.keySeparator = keySeparator;
  }

  /**
   * The JSON of a value.
   *
   * @param asciiOnly whether other characters become {@code \}{@code uXXXX}
   * @param indent null for one line, or a number of blanks, or a string
   * @param separators null for {@code ", "} and {@code ": "}, or two strings
   */
  static String of(
      Budget budget,
      Object value,
      boolean asciiOnly,
      Object indent,
      Object separators,
      boolean sortsKeys) {
    final String oneIndent = indent == null ? null : indent(budget, indent);
    String item = oneIndent == null ? ", " : ",";
    String key = ": ";
    if (separators != null) {
      final List<Object> two = Iteration.toList(budget, separators);
      if (two.size() != 2
          || !(two.get(0) instanceof String first)
          || !(two.get(1) instanceof String second)) {
        throw new TemplateFault("tojson needs two strings as separators");
      }
      item = first;
      key = second;
    }
    final TextBuilder out = new TextBuilder(budget);
    new JsonText(out, asciiOnly, sortsKeys, oneIndent, item, key).write(value, 1);
    return out.toString();
  }

  private static String indent(Budget budget, Object indent) {
    if (indent instanceof String text) {
      return text;
    }
    final int width = Math.max(0, Numbers.count(indent));
    budget.text(width);
    return " ".repeat(width);
  }

  private void write(Object value, int level) {
    switch (value) {
      case NoneValue none -> out.append("null");
      case Boolean bool -> out.append(bool ? "true" : "false");
      case Long integer -> out.append(integer.toString());
      case BigInteger integer -> out.append(Repr.digits(integer));
      case Double real -> out.append(real(real));
      case String text -> writeString(text);
      case ListValue list -> writeList(list.items(), level);
      case TupleValue tuple -> writeList(tuple.items(), level);
      case DictValue dict -> writeDict(dict, level);
      default ->
          throw new TemplateFault(
              "object of type '" + Types.name(value) + "' is not JSON serializable");
    }
  }

  private static String real(double value) {
    if (Double.isNaN(value)) {
      return "NaN";
    }
    return Double.isInfinite(value)
        ? (value > 0 ? "Infinity" : "-Infinity")
        : FloatText.repr(value);
  }

  private void writeList(List<Object> items, int level) {
    if (items.isEmpty()) {
      out.append("[]");
      return;
    }
    out.append("[");
    boolean first = true;
    for (final Object item : items) {
      startItem(first, level);
      write(item, level + 1);
      first = false;
    }
    newLine(level - 1);
    out.append("]");
  }

  private void writeDict(DictValue dict, int level) {
    if (dict.size() == 0) {
      out.append("{}");
      return;
    }
    out.append("{");
    boolean first = true;
    for (final DictValue.Entry entry : ordered(dict)) {
      startItem(first, level);
      writeString(key(entry.key()));
      out.append(keySeparator);
      write(entry.value(), level + 1);
      first = false;
    }
    newLine(level - 1);
    out.append("}");
  }

  private List<DictValue.Entry> ordered(DictValue dict) {
    final List<DictValue.Entry> entries = new ArrayList<>(dict.entries());
    if (sortsKeys) {
      entries.sort(Comparator.comparing(DictValue.Entry::key, Comparison.ascending(out.budget())));
    }
    return entries;
  }

  private void startItem(boolean first, int level) {
    if (!first) {
      out.append(itemSeparator);
    }
    newLine(level);
  }

  private void newLine(int level) {
    if (indent != null) {
      out.append("\n");
      for (int i = 0; i < level; i++) {
        out.append(indent);
      }
    }
  }

  private static String key(Object key) {
    return switch (key) {
      case String text -> text;
      case NoneValue none -> "null";
      case Boolean bool -> bool ? "true" : "false";
      case Long integer -> integer.toString();
      case BigInteger integer -> Repr.digits(integer);
      case Double real -> real(real);
      default -> throw new TemplateFault("a JSON key cannot be a '" + Types.name(key) + "'");
    };
  }

  private void writeString(String text) {
    final StringBuilder quoted = new StringBuilder(text.length() + 2).append('"');
    for (int i = 0; i < text.length(); i++) {
      escape(quoted, text.charAt(i));
    }
    out.append(quoted.append('"').toString());
  }

  private void escape(StringBuilder quoted, char c) {
    switch (c) {
      case '"' -> quoted.append("\\\"");
      case '\\' -> quoted.append("\\\\");
      case '\n' -> quoted.append("\\n");
      case '\r' -> quoted.append("\\r");
      case '\t' -> quoted.append("\\t");
      case '\f' -> quoted.append("\\f");
      case '\b' -> quoted.append("\\b");
      default -> {
        if (c < ' ' || (asciiOnly && c > '~')) {
          quoted.append(String.format("\\u%04x", (int) c));
        } else {
          quoted.append(c);
        }
      }
    }
  }
}
