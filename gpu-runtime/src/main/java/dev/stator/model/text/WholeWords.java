package dev.stator.model.text;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;

/** Finds tokens by the text that they stand for, where that is whole characters. */
final class WholeWords {
  private WholeWords() {}

  /**
   * The tokens of a byte-level vocabulary that are text, special ones left out: text must not
   * become one of those by accident.
   */
  static TokenIndex ofByteLevel(String[] spellings, BitSet special) {
    final String[] texts = new String[spellings.length];
    for (int id = 0; id < texts.length; id++) {
      if (spellings[id] != null && !special.get(id)) texts[id] = text(spellings[id]);
    }
    return new TokenIndex(texts);
  }

  /** The tokens of a vocabulary of characters, special ones left out. */
  static TokenIndex ofCharacters(String[] spellings, BitSet special) {
    final String[] texts = spellings.clone();
    special.stream().filter(id -> id < texts.length).forEach(id -> texts[id] = null);
    return new TokenIndex(texts);
  }

  private static String text(String spelling) {
    final byte[] bytes = ByteAlphabet.decode(spelling);
    if (bytes == null) return null;
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException partOfCharacter) {
      return null;
    }
  }
}
