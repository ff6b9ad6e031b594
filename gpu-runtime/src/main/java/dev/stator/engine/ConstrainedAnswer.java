package dev.stator.engine;

import dev.stator.model.grammar.Automaton;
import dev.stator.model.grammar.ConstrainedText;
import dev.stator.model.grammar.ConstraintCompiler;
import dev.stator.model.grammar.ConstraintException;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;

/**
 * A sequence's constraint, and how far its answer has come under it. Reads the answer's tokens when
 * it is asked, so that a sequence that brings some, or was preempted, goes on as one that never
 * moved.
 *
 * <p><b>Threads:</b> the engine's.
 */
final class ConstrainedAnswer {
  private final CompletableFuture<Automaton> compiled;
  private final int[] stopTokens; // Never inside the answer; at its end, once it may end.
  private final int[] lastResort; // End it where nothing else may follow.
  private ConstrainedText text; // From the first question on.
  private int taken; // Tokens of the answer that it has read.

  /**
   * @param rules whose stop tokens end the answer
   * @param endTokenIds the model's own, which end it at the latest when nothing may follow
   */
  ConstrainedAnswer(
      CompletableFuture<Automaton> compiled, LogitRules rules, Set<Integer> endTokenIds) {
    this.compiled = compiled;
    this.stopTokens = rules.stopTokens();
    this.lastResort =
        IntStream.concat(
                Arrays.stream(stopTokens), endTokenIds.stream().mapToInt(Integer::intValue))
            .sorted()
            .distinct()
            .toArray();
  }

  /**
   * Reads what has been added to the answer.
   *
   * @return why it cannot go on, in one sentence; {@code null} when it can
   */
  String readUpTo(Sequence sequence) {
    try {
      if (text == null) text = ConstraintCompiler.begin(compiled);
    } catch (ConstraintException fault) {
      return "the constraint cannot be kept: " + fault.getMessage();
    }
    for (; taken < sequence.answerLength(); taken++) {
      final int position = sequence.promptLength() + taken;
      if (!text.add(sequence.tokens()[position])) {
        return "the token at position " + position + " breaks the constraint";
      }
    }
    return null;
  }

  /** Whether nothing but an end may follow. */
  boolean isOver() {
    return text.isComplete() && !text.goesOn();
  }

  /** Whether no token could end an answer that is over. */
  boolean hasNoEnd() {
    return lastResort.length == 0;
  }

  boolean isEnd(int token) {
    return contains(lastResort, token);
  }

  /** Whether a token may be next. */
  boolean allows(int token) {
    if (contains(endsNow(), token)) return true;
    return !contains(stopTokens, token) && text.allows(token);
  }

  /**
   * Rules out what may not be next.
   *
   * @return {@code false} when the grammar is too ambiguous to tell
   */
  boolean mask(float[] logits) {
    final long[] allowed = text.allowed();
    if (allowed == null) return false;
    final int[] ends = endsNow();
    final float[] kept = new float[ends.length];
    for (int i = 0; i < ends.length; i++) kept[i] = logits[ends[i]];
    for (int word = 0; word * Long.SIZE < logits.length; word++) {
      long ruledOut = word < allowed.length ? ~allowed[word] : -1L;
      if (ruledOut == -1L) {
        final int last = Math.min(logits.length, (word + 1) * Long.SIZE);
        Arrays.fill(logits, word * Long.SIZE, last, Float.NEGATIVE_INFINITY);
        continue;
      }
      for (; ruledOut != 0; ruledOut &= ruledOut - 1) {
        final int token = word * Long.SIZE + Long.numberOfTrailingZeros(ruledOut);
        if (token < logits.length) logits[token] = Float.NEGATIVE_INFINITY;
      }
    }
    for (int token : stopTokens) logits[token] = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < ends.length; i++) logits[ends[i]] = kept[i];
    return true;
  }

  private int[] endsNow() {
    if (!text.isComplete()) return new int[0];
    return text.goesOn() ? stopTokens : lastResort;
  }

  private static boolean contains(int[] sorted, int token) {
    return Arrays.binarySearch(sorted, token) >= 0;
  }
}
