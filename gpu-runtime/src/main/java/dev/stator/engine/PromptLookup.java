package dev.stator.engine;

import java.util.Arrays;

/**
 * Drafts what may follow a sequence: what followed its last tokens when they came before, in prompt
 * or answer. Known as prompt lookup decoding (A. Saxena, 2023) and n-gram speculation.
 *
 * <pre>
 *   tokens   a b c d e f ... x b c d        latest place with the longest common end, here after "b c d"
 *                  ▲              └─ drafts: e f ...
 *   latest[hash of the last ngramMin tokens] ─▶ place ─▶ earlier[place] ─▶ ...
 * </pre>
 *
 * <p>Memory is some 12 bytes a token of the sequence. A new token costs an entry, a draft at most
 * {@value #PLACES_MAX} places of {@code ngramMax} comparisons.
 *
 * <p><b>Threads:</b> the engine's.
 */
final class PromptLookup {
  private static final int PLACES_MAX = 16;
  private static final int FIRST_ROOM = 256;
  private static final int HASH_FACTOR = 0x9E3779B1;

  private final int ngramMin;
  private final int ngramMax;
  private int[] latest = new int[FIRST_ROOM]; // A power of two; 0 for none: no n-gram ends there.
  private int[] earlier = new int[FIRST_ROOM]; // By place.
  private int nextPlace; // The first that has no entry yet.

  /**
   * @param ngramMin last tokens that a place must have in common with the sequence's end, at least
   * @param ngramMax more of them count for nothing
   */
  PromptLookup(int ngramMin, int ngramMax) {
    this.ngramMin = ngramMin;
    this.ngramMax = ngramMax;
    this.nextPlace = ngramMin;
  }

  /**
   * Drafts tokens.
   *
   * @param tokens the sequence; the same up to the length of the last call; with room for drafts
   *     behind {@code length}, where they are written
   * @return {@code count}, or 0 when its end has not come before
   */
  int draft(int[] tokens, int length, int count) {
    if (length <= ngramMin) return 0;
    enter(tokens, length);
    final int place = place(tokens, length);
    if (place == 0) return 0;
    // One by one: where the place is near the end, drafts follow drafts.
    for (int i = 0; i < count; i++) tokens[length + i] = tokens[place + i];
    return count;
  }

  /** Enters all places that have a token behind them. */
  private void enter(int[] tokens, int length) {
    if (length > earlier.length) {
      final int room = Integer.highestOneBit(length) * 2;
      earlier = Arrays.copyOf(earlier, room);
      latest = new int[room];
      nextPlace = ngramMin;
    }
    for (; nextPlace < length; nextPlace++) {
      final int slot = slot(tokens, nextPlace);
      earlier[nextPlace] = latest[slot];
      latest[slot] = nextPlace;
    }
  }

  /** The best place before the end; 0 for none. */
  private int place(int[] tokens, int length) {
    int best = 0;
    int longest = ngramMin - 1;
    int place = latest[slot(tokens, length)];
    for (int i = 0; i < PLACES_MAX && place > 0 && longest < ngramMax; i++) {
      final int common = common(tokens, place, length);
      if (common > longest) {
        longest = common;
        best = place;
      }
      place = earlier[place];
    }
    return best;
  }

  /** How many tokens before a place are those before the end. */
  private int common(int[] tokens, int place, int length) {
    int count = 0;
    while (count < Math.min(place, ngramMax)
        && tokens[place - 1 - count] == tokens[length - 1 - count]) {
      count++;
    }
    return count;
  }

  private int slot(int[] tokens, int end) {
    int hash = 0;
    for (int i = end - ngramMin; i < end; i++) hash = (hash + tokens[i]) * HASH_FACTOR;
    return (hash ^ hash >>> 15) & latest.length - 1;
  }
}
