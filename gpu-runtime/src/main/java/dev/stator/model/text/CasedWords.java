package dev.stator.model.text;

import static dev.stator.model.text.CodePoints.LETTER;
import static dev.stator.model.text.CodePoints.LOWER;
import static dev.stator.model.text.CodePoints.MARK;
import static dev.stator.model.text.CodePoints.NEWLINE;
import static dev.stator.model.text.CodePoints.NUMBER;
import static dev.stator.model.text.CodePoints.SPACE;
import static dev.stator.model.text.CodePoints.UNCASED;
import static dev.stator.model.text.CodePoints.UPPER;

/**
 * The words of Mistral's tekken and of o200k, which end where a capital follows a small letter.
 * With U for {@code [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]} and W for {@code [\p{Ll}\p{Lm}\p{Lo}\p{M}]}:
 * {@code [^\r\n\p{L}\p{N}]?U*W+|[^\r\n\p{L}\p{N}]?U+W*|\p{N}|
 * ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+}.
 */
final class CasedWords extends WordScanner {
  private static final int CAPITALS = UPPER | UNCASED | MARK;
  private static final int SMALL = LOWER | UNCASED | MARK;
  private static final int NONE = -1;

  private final int numbersMax;
  private final boolean takesContractions;

  /**
   * @param numbersMax how many numbers make a word
   * @param takesContractions whether {@code (?i:'s|'t|'re|'ve|'m|'ll|'d)?} ends a word, as in o200k
   */
  CasedWords(int numbersMax, boolean takesContractions) {
    this.numbersMax = numbersMax;
    this.takesContractions = takesContractions;
  }

  @Override
  int wordEnd(String text, int start, int end) {
    final int first = text.codePointAt(start);
    final int second = start + Character.charCount(first);
    final int classes = CodePoints.classes(first);
    final boolean mayLead = (classes & (LETTER | NUMBER | NEWLINE)) == 0;
    int wordEnd = mayLead ? capitalsThenSmall(text, second, end) : NONE;
    if (wordEnd == NONE && (classes & (LETTER | MARK)) != 0) {
      wordEnd = capitalsThenSmall(text, start, end);
    }
    if (wordEnd == NONE) {
      final int capitalsStart = mayLead ? second : start;
      final int capitalsEnd = run(text, capitalsStart, end, CAPITALS);
      if (capitalsEnd > capitalsStart) wordEnd = capitalsEnd;
    }
    if (wordEnd != NONE) return withContraction(text, wordEnd, end);
    if ((classes & NUMBER) != 0) return numbers(text, start, end, numbersMax);
    final int at = first == ' ' ? second : start;
    final int symbolsEnd = runWithout(text, at, end, SPACE | NUMBER | LETTER);
    if (symbolsEnd > at) return linesAndSlashes(text, symbolsEnd, end);
    return spacesAndLines(text, start, end);
  }

  /**
   * {@code U*W+}. Where no small letter follows the capitals, the regular expression gives back
   * capitals until one is of both classes, and ends behind it.
   */
  private static int capitalsThenSmall(String text, int start, int end) {
    final int capitalsEnd = run(text, start, end, CAPITALS);
    final int smallEnd = run(text, capitalsEnd, end, SMALL);
    if (smallEnd > capitalsEnd) return smallEnd;
    int at = capitalsEnd;
    while (at > start) {
      final int codePoint = text.codePointBefore(at);
      if ((CodePoints.classes(codePoint) & SMALL) != 0) return at;
      at -= Character.charCount(codePoint);
    }
    return NONE;
  }

  private int withContraction(String text, int wordEnd, int end) {
    if (!takesContractions || wordEnd >= end || text.charAt(wordEnd) != '\'') return wordEnd;
    return Math.max(wordEnd, contraction(text, wordEnd + 1, end, true));
  }

  private static int linesAndSlashes(String text, int at, int end) {
    while (at < end && "\r\n/".indexOf(text.charAt(at)) >= 0) at++;
    return at;
  }
}
