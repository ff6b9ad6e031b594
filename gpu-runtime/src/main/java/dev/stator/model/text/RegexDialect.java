package dev.stator.model.text;

import dev.stator.model.ModelFormatException;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Translates regular expressions of a tokenizer.json, which are Oniguruma's with Ruby's syntax, to
 * the JDK's. Nearly all mean the same; what the two read differently is translated or refused.
 */
final class RegexDialect {
  /** Without these the JDK's classes would be ASCII's, and {@code $} would not be a line's end. */
  static final int FLAGS =
      Pattern.UNICODE_CHARACTER_CLASS
          | Pattern.UNICODE_CASE
          | Pattern.MULTILINE
          | Pattern.UNIX_LINES;

  /** Hex digit or space, vertical tab or space, ...: escapes that are something else in each. */
  private static final String AMBIGUOUS_ESCAPES = "hHvVQERXKGNO";

  private static final Set<String> SCRIPTS =
      Set.of(
          "Han", "Hiragana", "Katakana", "Hangul", "Latin", "Cyrillic", "Greek", "Arabic", "Thai");

  /** Oniguruma's word characters: the JDK's without the joiners. */
  private static final String WORD_IN_CLASS = "\\p{IsAlphabetic}\\p{M}\\p{Nd}\\p{Pc}";

  /** Outside of a class, numbers of Latin-1 count too. */
  private static final String WORD = WORD_IN_CLASS + "\u00B2\u00B3\u00B9\u00BC-\u00BE";

  /**
   * Matches nothing. It is spelt with a character beyond the first plane: only where it sees one
   * does the JDK look behind by whole characters.
   */
  private static final String NOTHING = "[\uD83F\uDFFF&&a]";

  private static final String BEHIND = "(?<=" + NOTHING + "|[" + WORD + "])";
  private static final String NOT_BEHIND = "(?<!" + NOTHING + "|[" + WORD + "])";
  private static final String AHEAD = "(?=[" + WORD + "])";
  private static final String NOT_AHEAD = "(?![" + WORD + "])";

  private final String expression;
  private final StringBuilder translated = new StringBuilder();
  private int at;
  private int classDepth;

  private RegexDialect(String expression) {
    this.expression = expression;
  }

  /**
   * @throws ModelFormatException when the expression has what the two dialects read differently
   */
  static String translate(String expression) {
    final RegexDialect dialect = new RegexDialect(expression);
    while (dialect.at < expression.length()) dialect.step();
    return dialect.translated.toString();
  }

  private void step() {
    if (startsWith("\\", at)) escape();
    else if (startsWith("[:", at)) throw ambiguous("[:");
    else if (startsWith("[", at) || startsWith("]", at)) bracket();
    else if (classDepth > 0) take(1);
    else if (startsWith("(?<=", at) || startsWith("(?<!", at)) lookBehind();
    else if (startsWith("(?", at) && hasOption('m')) throw ambiguous("(?m");
    else if (startsWith("{", at)) repetition();
    else take(1);
  }

  private void escape() {
    final char kind = at + 1 < expression.length() ? expression.charAt(at + 1) : ' ';
    if (AMBIGUOUS_ESCAPES.indexOf(kind) >= 0) throw ambiguous("\\" + kind);
    final boolean isInClass = classDepth > 0;
    switch (kind) {
      case 'w' -> put("[" + (isInClass ? WORD_IN_CLASS : WORD) + "]", 2);
      case 'W' -> put("[^" + (isInClass ? WORD_IN_CLASS : WORD) + "]", 2);
      case 'b' -> put(boundary("\\b", BEHIND + NOT_AHEAD + "|" + NOT_BEHIND + AHEAD), 2);
      case 'B' -> put(boundary("\\B", BEHIND + AHEAD + "|" + NOT_BEHIND + NOT_AHEAD), 2);
      case 'p', 'P', 'x' -> named(kind);
      default -> take(Math.min(2, expression.length() - at));
    }
  }

  private String boundary(String escape, String alternatives) {
    if (classDepth > 0) throw ambiguous("[" + escape);
    return "(?:" + alternatives + ")";
  }

  private void named(char kind) {
    final int close = expression.indexOf('}', at);
    if (!startsWith("{", at + 2) || close < 0) {
      take(2);
      return;
    }
    final String name = expression.substring(at + 3, close);
    if (SCRIPTS.contains(name)) put("\\%c{Is%s}".formatted(kind, name), close + 1 - at);
    else take(close + 1 - at);
  }

  private void bracket() {
    if (expression.charAt(at) == '[') classDepth++;
    else classDepth = Math.max(0, classDepth - 1);
    take(1);
  }

  private void lookBehind() {
    take(4);
    translated.append(NOTHING).append('|');
  }

  /** In Ruby's syntax {@code {1,3}+} repeats the repetition; in the JDK's it is possessive. */
  private void repetition() {
    final int close = expression.indexOf('}', at);
    if (close > 0 && startsWith("+", close + 1)) throw ambiguous("}+");
    take(1);
  }

  private boolean hasOption(char option) {
    for (int i = at + 2; i < expression.length(); i++) {
      final char c = expression.charAt(i);
      if (c == option) return true;
      if (!Character.isLetter(c) && c != '-') return false;
    }
    return false;
  }

  private boolean startsWith(String text, int index) {
    return expression.startsWith(text, index);
  }

  private void take(int count) {
    put(expression.substring(at, at + count), count);
  }

  private void put(String translation, int count) {
    translated.append(translation);
    at += count;
  }

  private ModelFormatException ambiguous(String what) {
    return new ModelFormatException(
        "the pre-tokenizer's pattern %s has %s, which is not supported"
            .formatted(Excerpt.of(expression), Excerpt.of(what)));
  }
}
