package dev.stator.model.text;

/**
 * Remembers the ids of short words: a table of {@link #SLOTS} entries in which a new word takes the
 * place of the old one, so it needs no lock and cannot grow. A lookup copies nothing.
 */
final class CachingEncoder implements WordEncoder {
  static final int SLOTS = 1 << 14;

  /** Longer words, in characters, are not kept. */
  static final int WORD_LENGTH_MAX = 32;

  private record Entry(String word, int[] ids) {}

  private final WordEncoder encoder;
  // Racing threads may lose each other's entries; each entry is immutable and right.
  private final Entry[] entries = new Entry[SLOTS];

  CachingEncoder(WordEncoder encoder) {
    this.encoder = encoder;
  }

  @Override
  public void encode(String text, int start, int end, IntArray ids) {
    if (end - start > WORD_LENGTH_MAX) {
      encoder.encode(text, start, end, ids);
      return;
    }
    final int slot = slot(text, start, end);
    final Entry entry = entries[slot];
    if (entry != null && entry.word.length() == end - start && text.startsWith(entry.word, start)) {
      ids.addAll(entry.ids);
      return;
    }
    final int count = ids.size();
    encoder.encode(text, start, end, ids);
    entries[slot] = new Entry(text.substring(start, end), ids.copyFrom(count));
  }

  private static int slot(String text, int start, int end) {
    int hash = 0;
    for (int i = start; i < end; i++) hash = 31 * hash + text.charAt(i);
    hash *= 0x9E3779B9;
    return (hash ^ (hash >>> 16)) & (SLOTS - 1);
  }
}
