package dev.stator.model.grammar;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntConsumer;

/** Reads one escape or one bracketed class of a regular expression. */
final class RegexCharacters {
  /** Unicode's general categories that {@code \p{...}} knows, and how the JDK numbers them. */
  private static final Map<String, int[]> CATEGORIES =
      Map.ofEntries(
          Map.entry("L", new int[] {1, 2, 3, 4, 5}),
          Map.entry("Lu", new int[] {Character.UPPERCASE_LETTER}),
          Map.entry("Ll", new int[] {Character.LOWERCASE_LETTER}),
          Map.entry("Lt", new int[] {Character.TITLECASE_LETTER}),
          Map.entry("Lm", new int[] {Character.MODIFIER_LETTER}),
          Map.entry("Lo", new int[] {Character.OTHER_LETTER}),
          Map.entry("M", new int[] {6, 7, 8}),
          Map.entry("N", new int[] {9, 10, 11}),
          Map.entry("Nd", new int[] {Character.DECIMAL_DIGIT_NUMBER}),
          Map.entry("P", new int[] {20, 21, 22, 23, 24, 29, 30}),
          Map.entry("S", new int[] {25, 26, 27, 28}),
          Map.entry("Z", new int[] {12, 13, 14}),
          Map.entry("Zs", new int[] {Character.SPACE_SEPARATOR}));

  private static final Map<String, CharacterSet> KNOWN = new ConcurrentHashMap<>();

  private final String pattern;
  private int at;

  /**
   * @param at of the backslash, or behind the opening bracket
   */
  RegexCharacters(String pattern, int at) {
    this.pattern = pattern;
    this.at = at;
  }

  /** A class up to its closing bracket; {@code end} hears where it ends. */
  CharacterSet set(IntConsumer end) {
    final boolean isNegated = take('^');
    CharacterSet set = CharacterSet.EMPTY;
    boolean isFirst = true;
    while (isFirst || peek() != ']') {
      if (peek() == ']' || peek() == '[' || pattern.startsWith("&&", at)) {
        throw fault("'%s' inside a class: \\%s is the character itself".formatted(peek(), peek()));
      }
      isFirst = false;
      final CharacterSet low = member();
      if (peek() != '-' || at + 1 < pattern.length() && pattern.charAt(at + 1) == ']') {
        set = set.or(low);
        continue;
      }
      at++;
      final CharacterSet high = member();
      if (!isOne(low) || !isOne(high) || low.bounds()[0] > high.bounds()[0]) {
        throw fault("a range that is none");
      }
      set = set.or(CharacterSet.of(low.bounds()[0], high.bounds()[0]));
    }
    at++;
    end.accept(at);
    return isNegated ? set.not() : set;
  }

  private static boolean isOne(CharacterSet set) {
    return set.bounds().length == 2 && set.bounds()[0] == set.bounds()[1];
  }

  private CharacterSet member() {
    if (at == pattern.length()) throw fault("'[' without its ']'");
    if (peek() == '\\') return escape(end -> {});
    final int character = pattern.codePointAt(at);
    if (character >= Character.MIN_SURROGATE && character <= Character.MAX_SURROGATE) {
      throw fault("half a character");
    }
    at += Character.charCount(character);
    return CharacterSet.of(character);
  }

  /** What a backslash and what belongs to it stand for; {@code end} hears where it ends. */
  CharacterSet escape(IntConsumer end) {
    at++;
    if (at == pattern.length()) throw fault("a backslash at the end");
    final char c = pattern.charAt(at++);
    final CharacterSet set =
        switch (c) {
          case 'd' -> CharacterSet.DIGITS;
          case 'D' -> CharacterSet.DIGITS.not();
          case 'w' -> CharacterSet.WORD;
          case 'W' -> CharacterSet.WORD.not();
          case 's' -> CharacterSet.SPACE;
          case 'S' -> CharacterSet.SPACE.not();
          case 't' -> CharacterSet.of('\t');
          case 'n' -> CharacterSet.of('\n');
          case 'r' -> CharacterSet.of('\r');
          case 'f' -> CharacterSet.of('\f');
          case 'v' -> CharacterSet.of('\u000B');
          case 'a' -> CharacterSet.of('\u0007');
          case 'e' -> CharacterSet.of('\u001B');
          case '0' -> CharacterSet.of(0);
          case 'x' -> CharacterSet.of(peek() == '{' ? braced() : hex(2));
          case 'u' -> CharacterSet.of(peek() == '{' ? braced() : utf16());
          case 'p', 'P' -> category(c == 'P');
          default -> itself(c);
        };
    if (set.isEmpty()) throw fault("half a character");
    end.accept(at);
    return set;
  }

  private CharacterSet itself(char c) {
    final boolean isWord = c < 128 && CharacterSet.WORD.contains(c);
    if (isWord || c > 127) throw fault("\\%s, which is not supported".formatted(c));
    return CharacterSet.of(c);
  }

  private int hex(int digits) {
    final int end = at + digits;
    int value = 0;
    while (at < end) {
      final int digit = at < pattern.length() ? Character.digit(pattern.charAt(at), 16) : -1;
      if (digit < 0) throw fault("a character's number without its %d digits".formatted(digits));
      value = value * 16 + digit;
      at++;
    }
    return value;
  }

  private int utf16() {
    final int high = hex(4);
    if (!Character.isHighSurrogate((char) high) || !pattern.startsWith("\\u", at)) return high;
    at += 2;
    final int low = hex(4);
    if (!Character.isLowSurrogate((char) low)) throw fault("half a character");
    return Character.toCodePoint((char) high, (char) low);
  }

  private int braced() {
    final int end = pattern.indexOf('}', at);
    final int digits = end - at - 1;
    if (digits < 1 || digits > 6) throw fault("a character's number that is none");
    at++;
    final int character = hex(digits);
    if (character > Character.MAX_CODE_POINT) throw fault("a character beyond Unicode");
    at++;
    return character;
  }

  private CharacterSet category(boolean isNegated) {
    final int end = peek() == '{' ? pattern.indexOf('}', at) : -1;
    final String name = end < 0 ? "" : pattern.substring(at + 1, end);
    final int[] types = CATEGORIES.get(name);
    if (types == null) throw fault("\\p{%s}, which is not supported".formatted(name));
    at = end + 1;
    final CharacterSet set =
        KNOWN.computeIfAbsent(
            name,
            n ->
                CharacterSet.where(character -> {
                  for (int type : types) if (Character.getType(character) == type) return true;
                  return false;
                }));
    return isNegated ? set.not() : set;
  }

  private char peek() {
    return at < pattern.length() ? pattern.charAt(at) : '\0';
  }

  private boolean take(char c) {
    if (at == pattern.length() || pattern.charAt(at) != c) return false;
    at++;
    return true;
  }

  private ConstraintException fault(String problem) {
    return new ConstraintException("character " + (at + 1), "the pattern has " + problem);
  }
}
