package dev.stator.model.text;

import dev.stator.model.ModelFormatException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Finds the matches of a model's own regular expression with the JDK's engine. That engine
 * backtracks, so the steps it may take are bounded by a multiple of the text's length.
 */
final class RegexFinder implements MatchFinder {
  /** Characters that may be read for each character of the text. */
  static final int STEPS_PER_CHARACTER = 500;

  /** Characters that may be read however short the text is. */
  static final int STEPS_BASE = 100_000;

  private final Pattern pattern;

  private RegexFinder(Pattern pattern) {
    this.pattern = pattern;
  }

  /**
   * Compiles an expression in the dialect of a tokenizer.json.
   *
   * @throws ModelFormatException when it is not one that the JDK's engine reads the same way
   */
  static RegexFinder compile(String expression) {
    try {
      return new RegexFinder(
          Pattern.compile(RegexDialect.translate(expression), RegexDialect.FLAGS));
    } catch (PatternSyntaxException | StackOverflowError e) {
      throw new ModelFormatException(
          "the pre-tokenizer's pattern %s is not supported: %s"
              .formatted(Excerpt.of(expression), reason(e)),
          e);
    }
  }

  @Override
  public void find(String text, int start, int end, MatchSink sink) {
    final Matcher matcher = pattern.matcher(new MeteredText(text, start, end));
    int from = 0;
    int lastEnd = -1;
    try {
      while (from <= end - start && matcher.find(from)) {
        from = matcher.end();
        if (matcher.start() == from && from == lastEnd) {
          // Empty, and no step forward: on by a whole character, as Hugging Face's search goes.
          from = start + from < end ? text.offsetByCodePoints(start + from, 1) - start : from + 1;
          continue;
        }
        lastEnd = from;
        sink.match(start + matcher.start(), start + from);
      }
    } catch (StackOverflowError e) {
      throw new TextTooComplexException(
          "the text of %d characters nests too deep for the model's pre-tokenizer pattern %s"
              .formatted(end - start, Excerpt.of(pattern.pattern())));
    }
  }

  private static String reason(Throwable e) {
    return e instanceof PatternSyntaxException syntax
        ? Excerpt.of(syntax.getDescription())
        : "it nests too deep";
  }

  /** A part of a text that counts how often it is read. One match's own. */
  private final class MeteredText implements CharSequence {
    private final String text;
    private final int start;
    private final int length;
    private long stepsLeft;

    MeteredText(String text, int start, int end) {
      this.text = text;
      this.start = start;
      length = end - start;
      stepsLeft = STEPS_BASE + (long) STEPS_PER_CHARACTER * length;
    }

    @Override
    public char charAt(int index) {
      if (--stepsLeft < 0) {
        throw new TextTooComplexException(
            "the text of %d characters takes the model's pre-tokenizer pattern %s more than %d steps a character"
                .formatted(length, Excerpt.of(pattern.pattern()), STEPS_PER_CHARACTER));
      }
      return text.charAt(start + index);
    }

    @Override
    public int length() {
      return length;
    }

    @Override
    public CharSequence subSequence(int from, int to) {
      return text.substring(start + from, start + to);
    }

    @Override
    public String toString() {
      return text.substring(start, start + length);
    }
  }
}
