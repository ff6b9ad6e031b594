package dev.stator.model.text;

import static dev.stator.model.text.CodePoints.LETTER;
import static dev.stator.model.text.CodePoints.MARK;
import static dev.stator.model.text.CodePoints.NEWLINE;
import static dev.stator.model.text.CodePoints.NUMBER;
import static dev.stator.model.text.CodePoints.SPACE;

/**
 * The words of cl100k's kind, such as Llama 3's and Qwen 2's: {@code
 * (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
 * ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+}.
 */
final class Cl100kWords extends WordScanner {
  private final int numbersMax;
  private final int letters;

  /**
   * @param numbersMax how many numbers make a word: the 3 above
   * @param marksAreLetters whether {@code [\p{L}\p{M}]} stands for {@code \p{L}}, except in front
   *     of a word
   */
  Cl100kWords(int numbersMax, boolean marksAreLetters) {
    this.numbersMax = numbersMax;
    letters = marksAreLetters ? LETTER | MARK : LETTER;
  }

  @Override
  int wordEnd(String text, int start, int end) {
    final int first = text.codePointAt(start);
    final int second = start + Character.charCount(first);
    final int classes = CodePoints.classes(first);
    if (first == '\'') {
      final int contractionEnd = contraction(text, second, end, true);
      if (contractionEnd > 0) return contractionEnd;
    }
    if ((classes & (LETTER | NUMBER | NEWLINE)) == 0) {
      final int wordEnd = run(text, second, end, letters);
      if (wordEnd > second) return wordEnd;
    }
    if ((classes & letters) != 0) return run(text, second, end, letters);
    if ((classes & NUMBER) != 0) return numbers(text, start, end, numbersMax);
    final int at = first == ' ' ? second : start;
    final int symbolsEnd = runWithout(text, at, end, SPACE | NUMBER | letters);
    if (symbolsEnd > at) return run(text, symbolsEnd, end, NEWLINE);
    return spacesAndLines(text, start, end);
  }
}
