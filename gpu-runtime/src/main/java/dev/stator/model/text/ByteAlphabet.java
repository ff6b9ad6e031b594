package dev.stator.model.text;

import java.util.Arrays;

/**
 * GPT-2's spelling of bytes as printable characters: those of {@code !} to {@code ~}, {@code ¡} to
 * {@code ¬} and {@code ®} to {@code ÿ} stand for themselves, the other 68 bytes, in order, are
 * spelt U+0100 and up; a space is {@code Ġ}.
 */
final class ByteAlphabet {
  private static final char[] CHAR_OF = new char[256];
  private static final short[] BYTE_OF = new short[256 + 68];

  static {
    Arrays.fill(BYTE_OF, (short) -1);
    int next = 256;
    for (int b = 0; b < 256; b++) {
      final boolean isPrintable = b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
      CHAR_OF[b] = (char) (isPrintable ? b : next++);
      BYTE_OF[CHAR_OF[b]] = (short) b;
    }
  }

  private ByteAlphabet() {}

  static char charOf(int unsignedByte) {
    return CHAR_OF[unsignedByte];
  }

  /** The bytes that a token spells, or null where a character is none of the alphabet. */
  static byte[] decode(String token) {
    final byte[] bytes = new byte[token.length()];
    for (int i = 0; i < bytes.length; i++) {
      final char c = token.charAt(i);
      if (c >= BYTE_OF.length || BYTE_OF[c] < 0) return null;
      bytes[i] = (byte) BYTE_OF[c];
    }
    return bytes;
  }
}
