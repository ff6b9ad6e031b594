package dev.stator.model.text;

import dev.stator.model.ModelFormatException;

/** The symbols of byte-level BPE: the UTF-8 bytes of a word, each a token. */
final class ByteSymbols implements MergeEncoder.Symbols {
  private final int[] idOfByte = new int[256];

  /**
   * @throws ModelFormatException when a byte that UTF-8 text may hold has no token
   */
  ByteSymbols(TokenIndex index) {
    for (int b = 0; b < idOfByte.length; b++) {
      final String spelling = String.valueOf(ByteAlphabet.charOf(b));
      idOfByte[b] = index.find(spelling);
      final boolean isInUtf8 = b < 0xC0 || b >= 0xC2 && b <= 0xF4;
      if (idOfByte[b] == TokenIndex.ABSENT && isInUtf8) {
        throw new ModelFormatException(
            "the vocabulary has no token for byte 0x%02X, which byte-level BPE spells %s"
                .formatted(b, Excerpt.of(spelling)));
      }
    }
  }

  @Override
  public void of(String text, int start, int end, IntArray ids) {
    for (int at = start; at < end; ) {
      final int codePoint = text.codePointAt(at);
      at += Character.charCount(codePoint);
      if (codePoint < 0x80) {
        ids.add(idOfByte[codePoint]);
        continue;
      }
      if (codePoint < 0x800) {
        ids.add(idOfByte[0xC0 | codePoint >> 6]);
      } else {
        if (codePoint < 0x10000) {
          ids.add(idOfByte[0xE0 | codePoint >> 12]);
        } else {
          ids.add(idOfByte[0xF0 | codePoint >> 18]);
          ids.add(idOfByte[0x80 | codePoint >> 12 & 0x3F]);
        }
        ids.add(idOfByte[0x80 | codePoint >> 6 & 0x3F]);
      }
      ids.add(idOfByte[0x80 | codePoint & 0x3F]);
    }
  }
}
