package dev.stator.model.text;

import java.util.function.IntPredicate;

/**
 * Finds what a pattern matches in a text, left to right, without overlaps. Stateless: any number of
 * threads may use one.
 */
@FunctionalInterface
interface MatchFinder {
  /** Takes the matches in order; one may be empty. */
  @FunctionalInterface
  interface MatchSink {
    void match(int start, int end);
  }

  /** Only the characters from {@code start} until {@code end} are looked at. */
  void find(String text, int start, int end, MatchSink sink);

  /** Each occurrence of a text that is not empty. */
  static MatchFinder literal(String searched) {
    return (text, start, end, sink) -> {
      int at = text.indexOf(searched, start, end);
      while (at >= 0) {
        sink.match(at, at + searched.length());
        at = text.indexOf(searched, at + searched.length(), end);
      }
    };
  }

  /** Runs of code points, cut after {@code countMax} of them. */
  static MatchFinder runs(IntPredicate isMember, int countMax) {
    return (text, start, end, sink) -> {
      int runStart = start;
      int count = 0;
      int at = start;
      while (at < end) {
        final int codePoint = text.codePointAt(at);
        final boolean isIn = isMember.test(codePoint);
        if (count > 0 && (!isIn || count == countMax)) {
          sink.match(runStart, at);
          count = 0;
        }
        if (isIn && count++ == 0) runStart = at;
        at += Character.charCount(codePoint);
      }
      if (count > 0) sink.match(runStart, end);
    };
  }

  /** {@code \s+$}: spaces in front of a line end or of the end. */
  static MatchFinder trailingSpaces() {
    return (text, start, end, sink) -> {
      int at = start;
      while (at < end) {
        final int runEnd = WordScanner.run(text, at, end, CodePoints.SPACE);
        if (runEnd == at) {
          at += Character.charCount(text.codePointAt(at));
          continue;
        }
        final int matchEnd = runEnd == end ? end : text.lastIndexOf('\n', runEnd - 1);
        if (matchEnd > at) sink.match(at, matchEnd);
        at = runEnd;
      }
    };
  }
}
