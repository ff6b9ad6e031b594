package dev.stator.model.text;

import static dev.stator.model.text.CodePoints.NEWLINE;
import static dev.stator.model.text.CodePoints.SPACE;

/**
 * A hand-written pre-tokenizer that covers the text with words: what a family's regular expression
 * matches, one alternative after the other, in one pass over the code points.
 */
abstract class WordScanner implements Splitter {
  @Override
  public final void split(String text, int start, int end, WordSink sink) {
    int at = start;
    while (at < end) {
      final int wordEnd = wordEnd(text, at, end);
      sink.word(text, at, wordEnd);
      at = wordEnd;
    }
  }

  /** The end of the word that begins at {@code start}, where {@code start < end}. */
  abstract int wordEnd(String text, int start, int end);

  /** The end of the code points at {@code at} that have one of the classes. */
  static int run(String text, int at, int end, int classes) {
    while (at < end) {
      final int codePoint = text.codePointAt(at);
      if ((CodePoints.classes(codePoint) & classes) == 0) return at;
      at += Character.charCount(codePoint);
    }
    return at;
  }

  /** The end of the code points at {@code at} that have none of the classes. */
  static int runWithout(String text, int at, int end, int classes) {
    while (at < end) {
      final int codePoint = text.codePointAt(at);
      if ((CodePoints.classes(codePoint) & classes) != 0) return at;
      at += Character.charCount(codePoint);
    }
    return at;
  }

  /** The end of at most {@code countMax} numbers. */
  static int numbers(String text, int at, int end, int countMax) {
    for (int count = 0; count < countMax && at < end; count++) {
      final int codePoint = text.codePointAt(at);
      if ((CodePoints.classes(codePoint) & CodePoints.NUMBER) == 0) return at;
      at += Character.charCount(codePoint);
    }
    return at;
  }

  /**
   * {@code \s+(?!\S)|\s+}: a run of spaces without its last one, which belongs to the next word,
   * unless there is no other or nothing follows.
   */
  static int spaces(String text, int start, int end) {
    final int runEnd = run(text, start, end, SPACE);
    return runEnd == end || runEnd - start == 1 ? runEnd : runEnd - 1;
  }

  /** {@code \s*[\r\n]+|\s+(?!\S)|\s+}: up to the last line end of the run, where it has one. */
  static int spacesAndLines(String text, int start, int end) {
    final int runEnd = run(text, start, end, SPACE);
    for (int at = runEnd; at > start; at--) {
      if ((CodePoints.classes(text.charAt(at - 1)) & NEWLINE) != 0) return at;
    }
    return runEnd == end || runEnd - start == 1 ? runEnd : runEnd - 1;
  }

  /**
   * {@code 's|'t|'re|'ve|'m|'ll|'d}: the end of the contraction whose apostrophe stands in front of
   * {@code at}, or -1.
   *
   * @param anyCase whether capitals, and U+017F for {@code s}, count
   */
  static int contraction(String text, int at, int end, boolean anyCase) {
    if (at >= end) return -1;
    final char first = letter(text.charAt(at), anyCase);
    if (first == 's' || first == 't' || first == 'm' || first == 'd') return at + 1;
    if (at + 1 >= end) return -1;
    final char second = letter(text.charAt(at + 1), anyCase);
    final boolean isMatch =
        first == 'l' && second == 'l' || (first == 'r' || first == 'v') && second == 'e';
    return isMatch ? at + 2 : -1;
  }

  private static char letter(char c, boolean anyCase) {
    if (!anyCase) return c;
    if (c >= 'A' && c <= 'Z') return (char) (c | 0x20);
    return c == '\u017F' ? 's' : c;
  }
}
