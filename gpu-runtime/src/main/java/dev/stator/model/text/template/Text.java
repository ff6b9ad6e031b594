package dev.stator.model.text.template;

/** Python's notion of characters: code points, and its own set of white space. */
final class Text {
  private Text() {}

  /** As {@code str.isspace} for one character; all of them are in the basic plane. */
  static boolean isSpace(int c) {
    return (c >= '\t' && c <= '\r')
        || (c >= 0x1c && c <= ' ')
        || c == 0x85
        || c == 0xa0
        || c == 0x1680
        || (c >= 0x2000 && c <= 0x200a)
        || c == 0x2028
        || c == 0x2029
        || c == 0x202f
        || c == 0x205f
        || c == 0x3000;
  }

  /** Whether all from {@code start} is white space. */
  static boolean isSpace(String text, int start) {
    return text.chars().skip(start).allMatch(Text::isSpace);
  }

  static int endWithoutSpace(String text) {
    return endWithoutSpace(text, text.length());
  }

  /** Where the text up to {@code stop} ends without the white space at its end. */
  static int endWithoutSpace(String text, int stop) {
    int end = stop;
    while (end > 0 && isSpace(text.charAt(end - 1))) {
      end--;
    }
    return end;
  }

  static int length(String text) {
    return text.codePointCount(0, text.length());
  }

  /** Whether code points and chars are the same here. */
  static boolean isPlain(String text) {
    return length(text) == text.length();
  }

  /** The order of code points, which UTF-16 does not keep. */
  static int compare(String a, String b) {
    final int shorter = Math.min(a.length(), b.length());
    for (int i = 0; i < shorter; i++) {
      final char x = a.charAt(i);
      final char y = b.charAt(i);
      if (x != y) {
        final boolean sameKind = Character.isSurrogate(x) == Character.isSurrogate(y);
        return sameKind ? Character.compare(x, y) : Character.isSurrogate(x) ? 1 : -1;
      }
    }
    return Integer.compare(a.length(), b.length());
  }

  /** The substring between two code point indexes. */
  static String between(String text, int start, int end) {
    if (isPlain(text)) {
      return text.substring(start, end);
    }
    final int from = text.offsetByCodePoints(0, start);
    return text.substring(from, text.offsetByCodePoints(from, end - start));
  }

  /** Bounds, in code points, of a slice with step 1, such as {@code str.find} takes. */
  static int clamp(long index, int length) {
    return Math.clamp(index < 0 ? index + length : index, 0, length);
  }
}
