package dev.stator.model.text;

import java.util.BitSet;

/** The tokens by id: spelling, bytes, and which are special. Immutable. */
final class Vocabulary {
  /** More tokens than any model has; above it a file is taken for broken. */
  static final int SIZE_MAX = 1 << 22;

  private static final byte[] NO_BYTES = {};

  private final String[] spellings;
  private final byte[][] bytes;
  private final BitSet special;
  private final TokenIndex index;

  /**
   * @param spellings by id, as the file spells them; null where no token has the id; kept
   * @param bytes by id, what each stands for; null as above; kept
   * @param special the ids of the special tokens; kept
   */
  Vocabulary(String[] spellings, byte[][] bytes, BitSet special) {
    this.spellings = spellings;
    this.bytes = bytes;
    this.special = special;
    index = new TokenIndex(spellings);
  }

  int size() {
    return spellings.length;
  }

  boolean isSpecial(int id) {
    return special.get(id);
  }

  /** The id of the token so spelt, or {@link TokenIndex#ABSENT}. */
  int find(String spelling) {
    return index.find(spelling);
  }

  /** Not to be changed. */
  byte[] bytes(int id) {
    return bytes[id] == null ? NO_BYTES : bytes[id];
  }
}
