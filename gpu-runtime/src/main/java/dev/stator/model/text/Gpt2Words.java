package dev.stator.model.text;

import static dev.stator.model.text.CodePoints.LETTER;
import static dev.stator.model.text.CodePoints.NUMBER;
import static dev.stator.model.text.CodePoints.SPACE;

/**
 * GPT-2's words: {@code 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+|
 * ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+}.
 */
final class Gpt2Words extends WordScanner {
  @Override
  int wordEnd(String text, int start, int end) {
    if (text.charAt(start) == '\'') {
      final int contractionEnd = contraction(text, start + 1, end, false);
      if (contractionEnd > 0) return contractionEnd;
    }
    final int at = text.charAt(start) == ' ' && start + 1 < end ? start + 1 : start;
    final int classes = CodePoints.classes(text.codePointAt(at));
    if ((classes & LETTER) != 0) return run(text, at, end, LETTER);
    if ((classes & NUMBER) != 0) return run(text, at, end, NUMBER);
    if ((classes & SPACE) == 0) return runWithout(text, at, end, SPACE | LETTER | NUMBER);
    return spaces(text, start, end);
  }
}
