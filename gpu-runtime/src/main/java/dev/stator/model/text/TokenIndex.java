package dev.stator.model.text;

import java.util.Arrays;

/**
 * Finds a token by its text, also where the text is a part of a longer one, without a copy.
 * Immutable: any number of threads may use one.
 */
final class TokenIndex {
  static final int ABSENT = -1;
  private static final int MIX = 0x9E3779B9;

  private final String[] texts;
  private final int[] slots;
  private final int shift;
  private final int lengthMax;

  /**
   * Of two equal texts the first is found.
   *
   * @param texts by token id; null or empty for a token that is not to be found; kept, not copied
   */
  TokenIndex(String[] texts) {
    this.texts = texts;
    final int bits = Math.max(4, 33 - Integer.numberOfLeadingZeros(texts.length));
    slots = new int[1 << bits];
    shift = 32 - bits;
    Arrays.fill(slots, ABSENT);
    int longest = 0;
    for (int id = 0; id < texts.length; id++) {
      if (texts[id] == null || texts[id].isEmpty()) continue;
      longest = Math.max(longest, texts[id].length());
      final int slot = slot(texts[id], 0, texts[id].length());
      if (slots[slot] == ABSENT) slots[slot] = id;
    }
    lengthMax = longest;
  }

  /** The id of the token whose text is {@code text}, or {@link #ABSENT}. */
  int find(String text) {
    return find(text, 0, text.length());
  }

  /** The same for the characters of {@code text} from {@code start} until {@code end}. */
  int find(String text, int start, int end) {
    return end - start > lengthMax ? ABSENT : slots[slot(text, start, end)];
  }

  private int slot(String text, int start, int end) {
    int hash = 0;
    for (int i = start; i < end; i++) hash = 31 * hash + text.charAt(i);
    int slot = ((hash ^ (hash >>> 15)) * MIX) >>> shift;
    while (slots[slot] != ABSENT && !matches(texts[slots[slot]], text, start, end)) {
      slot = (slot + 1) & (slots.length - 1);
    }
    return slot;
  }

  private static boolean matches(String token, String text, int start, int end) {
    return token.length() == end - start && text.startsWith(token, start);
  }
}
