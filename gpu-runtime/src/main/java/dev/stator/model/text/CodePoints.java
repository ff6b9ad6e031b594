package dev.stator.model.text;

/**
 * The classes of code points that pre-tokenizers tell apart, as bits; those of Unicode in the JDK.
 */
final class CodePoints {
  /** Lu and Lt. */
  static final int UPPER = 1;

  /** Ll. */
  static final int LOWER = 2;

  /** Lm and Lo. */
  static final int UNCASED = 4;

  /** M. */
  static final int MARK = 8;

  /** N. */
  static final int NUMBER = 16;

  /** White_Space, line ends included. */
  static final int SPACE = 32;

  /** Carriage return and line feed. */
  static final int NEWLINE = 64;

  static final int LETTER = UPPER | LOWER | UNCASED;

  private static final byte[] BASIC_PLANE = new byte[Character.MIN_SUPPLEMENTARY_CODE_POINT];

  static {
    for (int c = 0; c < BASIC_PLANE.length; c++) BASIC_PLANE[c] = (byte) compute(c);
  }

  private CodePoints() {}

  static int classes(int codePoint) {
    return codePoint < BASIC_PLANE.length ? BASIC_PLANE[codePoint] : compute(codePoint);
  }

  static boolean isSpace(int codePoint) {
    return (classes(codePoint) & SPACE) != 0;
  }

  /** Whether a regular expression's {@code \w} matches. */
  static boolean isWord(int codePoint) {
    final int type = Character.getType(codePoint);
    return Character.isAlphabetic(codePoint)
        || (classes(codePoint) & MARK) != 0
        || type == Character.DECIMAL_DIGIT_NUMBER
        || type == Character.CONNECTOR_PUNCTUATION
        || codePoint == 0x200C
        || codePoint == 0x200D;
  }

  static boolean isPunctuation(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.CONNECTOR_PUNCTUATION,
          Character.DASH_PUNCTUATION,
          Character.START_PUNCTUATION,
          Character.END_PUNCTUATION,
          Character.INITIAL_QUOTE_PUNCTUATION,
          Character.FINAL_QUOTE_PUNCTUATION,
          Character.OTHER_PUNCTUATION ->
          true;
      default -> codePoint < 128 && "$+<=>^`|~".indexOf(codePoint) >= 0;
    };
  }

  private static int compute(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.UPPERCASE_LETTER, Character.TITLECASE_LETTER -> UPPER;
      case Character.LOWERCASE_LETTER -> LOWER;
      case Character.MODIFIER_LETTER, Character.OTHER_LETTER -> UNCASED;
      case Character.NON_SPACING_MARK, Character.COMBINING_SPACING_MARK, Character.ENCLOSING_MARK ->
          MARK;
      case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER ->
          NUMBER;
      case Character.SPACE_SEPARATOR, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR ->
          SPACE;
      default -> control(codePoint);
    };
  }

  private static int control(int codePoint) {
    return switch (codePoint) {
      case '\r', '\n' -> SPACE | NEWLINE;
      case '\t', 0x0B, '\f', 0x85 -> SPACE;
      default -> 0;
    };
  }
}
