package dev.stator.model.text;

/** Cuts a text at what a pattern matches, in the ways of a tokenizer.json's {@code behavior}. */
final class MatchSplitter implements Splitter {
  /** What becomes of a match. */
  enum Behavior {
    /** It is a word of its own, as is what lies between two matches. */
    ISOLATED,
    /** It is left out. */
    REMOVED,
    /** Neighbouring matches are one word. */
    CONTIGUOUS,
    /** It ends the word in front of it. */
    MERGED_WITH_PREVIOUS,
    /** It begins the word behind it. */
    MERGED_WITH_NEXT
  }

  private final MatchFinder finder;
  private final Behavior behavior;
  private final boolean inverted;

  /**
   * @param inverted whether what lies between the matches counts as the match
   */
  MatchSplitter(MatchFinder finder, Behavior behavior, boolean inverted) {
    this.finder = finder;
    this.behavior = behavior;
    this.inverted = inverted;
  }

  @Override
  public void split(String text, int start, int end, WordSink sink) {
    final Words words = new Words(text, start, sink);
    finder.find(
        text,
        start,
        end,
        (from, to) -> {
          if (from > words.seen) words.part(from, inverted);
          words.part(to, !inverted);
        });
    if (end > words.seen) words.part(end, inverted);
    words.flush();
  }

  /** Joins parts, which follow each other, to words. One split's own. */
  private final class Words {
    private final String text;
    private final WordSink sink;
    private int wordStart;
    private int seen;
    private boolean lastIsMatch;

    Words(String text, int start, WordSink sink) {
      this.text = text;
      this.sink = sink;
      wordStart = start;
      seen = start;
    }

    void part(int end, boolean isMatch) {
      final boolean joins =
          switch (behavior) {
            case ISOLATED, REMOVED -> false;
            case CONTIGUOUS -> isMatch == lastIsMatch;
            case MERGED_WITH_PREVIOUS -> isMatch && !lastIsMatch;
            case MERGED_WITH_NEXT -> !isMatch && lastIsMatch;
          };
      if (!joins) flush();
      seen = end;
      lastIsMatch = isMatch;
    }

    void flush() {
      final boolean isRemoved = behavior == Behavior.REMOVED && lastIsMatch;
      if (seen > wordStart && !isRemoved) sink.word(text, wordStart, seen);
      wordStart = seen;
    }
  }
}
