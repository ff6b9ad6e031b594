package dev.stator.model.text;

/** Text from a model file as it may stand in a message: in quotes, cut when long, on one line. */
final class Excerpt {
  private static final int LENGTH_MAX = 80;

  private Excerpt() {}

  static String of(String text) {
    final StringBuilder line = new StringBuilder("'");
    text.codePoints()
        .limit(LENGTH_MAX)
        .map(c -> isPrintable(c) ? c : 0xFFFD)
        .forEach(line::appendCodePoint);
    if (text.length() > line.length()) line.append("...");
    return line.append('\'').toString();
  }

  private static boolean isPrintable(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      default -> true;
    };
  }
}
