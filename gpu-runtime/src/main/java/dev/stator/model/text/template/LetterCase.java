package dev.stator.model.text.template;

import java.util.Locale;

/** Upper, lower and title case, and what a character is. */
final class LetterCase {
  private LetterCase() {}

  static String capitalize(String text) {
    if (text.isEmpty()) {
      return text;
    }
    final int end = Character.charCount(text.codePointAt(0));
    return titleStart(text.substring(0, end)) + text.substring(end).toLowerCase(Locale.ROOT);
  }

  /**
   * A single character in title case; one that becomes several, such as sharp s, only once upper.
   */
  private static String titleStart(String character) {
    final int title = Character.toTitleCase(character.codePointAt(0));
    if (title != character.codePointAt(0)) {
      return Character.toString(title);
    }
    final String upper = character.toUpperCase(Locale.ROOT);
    return upper.length() <= 1
        ? upper
        : upper.charAt(0) + upper.substring(1).toLowerCase(Locale.ROOT);
  }

  /** As {@code str.title}: the first letter of each run of letters. */
  static String title(String text) {
    final StringBuilder out = new StringBuilder(text.length());
    boolean inWord = false;
    for (int i = 0; i < text.length(); ) {
      final int code = text.codePointAt(i);
      final String character = Character.toString(code);
      out.append(inWord ? character.toLowerCase(Locale.ROOT) : titleStart(character));
      inWord = isCased(code);
      i += character.length();
    }
    return out.toString();
  }

  static String swap(String text) {
    final StringBuilder out = new StringBuilder(text.length());
    text.codePoints()
        .forEach(code -> {
          final String character = Character.toString(code);
          out.append(
              Character.isUpperCase(code)
                  ? character.toLowerCase(Locale.ROOT)
                  : Character.isLowerCase(code) ? character.toUpperCase(Locale.ROOT) : character);
        });
    return out.toString();
  }

  private static boolean isCased(int code) {
    return Character.isUpperCase(code)
        || Character.isLowerCase(code)
        || Character.isTitleCase(code);
  }

  static boolean isLower(String text) {
    return text.codePoints().anyMatch(Character::isLowerCase)
        && text.codePoints()
            .noneMatch(code -> Character.isUpperCase(code) || Character.isTitleCase(code));
  }

  static boolean isUpper(String text) {
    return text.codePoints().anyMatch(Character::isUpperCase)
        && text.codePoints()
            .noneMatch(code -> Character.isLowerCase(code) || Character.isTitleCase(code));
  }

  static boolean isTitle(String text) {
    boolean inWord = false;
    boolean any = false;
    for (final int code : text.codePoints().toArray()) {
      final boolean start = Character.isUpperCase(code) || Character.isTitleCase(code);
      if (start == inWord && isCased(code)) {
        return false;
      }
      any |= isCased(code);
      inWord = isCased(code);
    }
    return any;
  }

  /** Decimal digits and those in superscript, subscript or circles. */
  static boolean isDigit(int code) {
    final boolean raised = code == 0xb2 || code == 0xb3 || code == 0xb9;
    return Character.isDigit(code)
        || raised
        || (code >= 0x2070 && code <= 0x2089 && Character.getType(code) == Character.OTHER_NUMBER)
        || (code >= 0x2460 && code <= 0x2468);
  }

  static boolean isNumeric(int code) {
    final int type = Character.getType(code);
    return type == Character.DECIMAL_DIGIT_NUMBER
        || type == Character.LETTER_NUMBER
        || type == Character.OTHER_NUMBER;
  }

  static boolean isIdentifier(String text) {
    return !text.isEmpty()
        && (Character.isUnicodeIdentifierStart(text.codePointAt(0)) || text.charAt(0) == '_')
        && text.codePoints().skip(1).allMatch(Character::isUnicodeIdentifierPart);
  }
}
