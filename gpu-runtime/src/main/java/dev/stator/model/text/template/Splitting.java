package dev.stator.model.text.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The methods of {@code str} that cut it. */
final class Splitting {
  private Splitting() {}

  static Object split(Budget budget, String text, Object[] a) {
    return list(
        budget, isGiven(a[0]) ? atSeparator(budget, text, a) : atSpace(budget, text, max(a[1])));
  }

  static Object splitFromEnd(Budget budget, String text, Object[] a) {
    final List<Object> parts =
        isGiven(a[0])
            ? atSeparatorFromEnd(budget, text, a)
            : atSpaceFromEnd(budget, text, max(a[1]));
    Collections.reverse(parts);
    return list(budget, parts);
  }

  private static boolean isGiven(Object value) {
    return value != null && value != NoneValue.NONE;
  }

  private static int max(Object max) {
    return max == null || Numbers.count(max) < 0 ? Integer.MAX_VALUE : Numbers.count(max);
  }

  private static ListValue list(Budget budget, List<Object> parts) {
    return new ListValue(budget, parts);
  }

  private static void add(Budget budget, List<Object> parts, String part) {
    budget.elements(1);
    parts.add(budget.paid(part));
  }

  private static String separator(Object value) {
    final String separator = StringMethods.string(value);
    if (separator.isEmpty()) {
      throw new TemplateFault("a string cannot be split at an empty separator");
    }
    return separator;
  }

  private static List<Object> atSeparator(Budget budget, String text, Object[] a) {
    final String separator = separator(a[0]);
    final int max = max(a[1]);
    budget.search(text, separator);
    final List<Object> parts = new ArrayList<>();
    int from = 0;
    int at = text.indexOf(separator);
    while (at >= 0 && parts.size() < max) {
      add(budget, parts, text.substring(from, at));
      from = at + separator.length();
      at = text.indexOf(separator, from);
    }
    add(budget, parts, text.substring(from));
    return parts;
  }

  private static List<Object> atSeparatorFromEnd(Budget budget, String text, Object[] a) {
    final String separator = separator(a[0]);
    final int max = max(a[1]);
    budget.search(text, separator);
    final List<Object> parts = new ArrayList<>();
    int to = text.length();
    int at = text.lastIndexOf(separator);
    while (at >= 0 && parts.size() < max) {
      add(budget, parts, text.substring(at + separator.length(), to));
      to = at;
      at = at < separator.length() ? -1 : text.lastIndexOf(separator, at - separator.length());
    }
    add(budget, parts, text.substring(0, to));
    return parts;
  }

  private static List<Object> atSpace(Budget budget, String text, int max) {
    budget.scan(text.length());
    final List<Object> parts = new ArrayList<>();
    int from = skipSpace(text, 0);
    while (from < text.length()) {
      int to = from;
      while (to < text.length() && !Text.isSpace(text.charAt(to))) {
        to++;
      }
      if (parts.size() == max) {
        add(budget, parts, text.substring(from));
        return parts;
      }
      add(budget, parts, text.substring(from, to));
      from = skipSpace(text, to);
    }
    return parts;
  }

  private static int skipSpace(String text, int start) {
    int at = start;
    while (at < text.length() && Text.isSpace(text.charAt(at))) {
      at++;
    }
    return at;
  }

  private static List<Object> atSpaceFromEnd(Budget budget, String text, int max) {
    budget.scan(text.length());
    final List<Object> parts = new ArrayList<>();
    int to = Text.endWithoutSpace(text);
    while (to > 0) {
      int from = to;
      while (from > 0 && !Text.isSpace(text.charAt(from - 1))) {
        from--;
      }
      if (parts.size() == max) {
        add(budget, parts, text.substring(0, to));
        return parts;
      }
      add(budget, parts, text.substring(from, to));
      to = Text.endWithoutSpace(text, from);
    }
    return parts;
  }

  static Object splitLines(Budget budget, String text, Object[] a) {
    final boolean keepEnds = a[0] != null && Types.isTrue(a[0]);
    final List<Object> lines = new ArrayList<>();
    for (final String line : lines(budget, text, keepEnds)) {
      add(budget, lines, line);
    }
    return list(budget, lines);
  }

  /** The lines of a text; what Python takes for a line's end is more than the newline. */
  static List<String> lines(Budget budget, String text, boolean keepEnds) {
    budget.scan(text.length());
    final List<String> lines = new ArrayList<>();
    int from = 0;
    while (from < text.length()) {
      int to = from;
      while (to < text.length() && !isLineEnd(text.charAt(to))) {
        to++;
      }
      final int next = text.startsWith("\r\n", to) ? to + 2 : Math.min(to + 1, text.length());
      budget.elements(1);
      lines.add(text.substring(from, keepEnds ? next : to));
      from = next;
    }
    return lines;
  }

  private static boolean isLineEnd(char c) {
    return (c >= '\n' && c <= '\r')
        || (c >= 0x1c && c <= 0x1e)
        || c == 0x85
        || c == 0x2028
        || c == 0x2029;
  }

  static Object partition(Budget budget, String text, Object separator, boolean last) {
    final String wanted = separator(separator);
    budget.search(text, wanted);
    budget.text(text.length());
    final int at = last ? text.lastIndexOf(wanted) : text.indexOf(wanted);
    if (at < 0) {
      return new TupleValue(budget, last ? List.of("", "", text) : List.of(text, "", ""));
    }
    return new TupleValue(
        budget, List.of(text.substring(0, at), wanted, text.substring(at + wanted.length())));
  }
}
