package dev.stator.model.text;

import dev.stator.model.ModelFormatException;
import java.nio.charset.StandardCharsets;

/**
 * What a character becomes that is no token: the tokens {@code <0x00>} to {@code <0xFF>} of its
 * UTF-8 bytes, or the unknown token, or nothing.
 */
final class UnknownCharacters {
  private final int[] idOfByte;
  private final int unknownId;
  private final boolean fuses;

  private UnknownCharacters(int[] idOfByte, int unknownId, boolean fuses) {
    this.idOfByte = idOfByte;
    this.unknownId = unknownId;
    this.fuses = fuses;
  }

  /**
   * @throws ModelFormatException when one of the 256 tokens is missing
   */
  static UnknownCharacters asBytes(TokenIndex index) {
    final int[] idOfByte = new int[256];
    for (int b = 0; b < idOfByte.length; b++) {
      idOfByte[b] = index.find(byteSpelling(b));
      if (idOfByte[b] == TokenIndex.ABSENT) {
        throw new ModelFormatException(
            "the vocabulary has no token %s, which unknown characters are spelt with"
                .formatted(byteSpelling(b)));
      }
    }
    return new UnknownCharacters(idOfByte, -1, false);
  }

  /**
   * @param fuses whether unknown characters that follow each other are one token
   */
  static UnknownCharacters asToken(int unknownId, boolean fuses) {
    return new UnknownCharacters(null, unknownId, fuses);
  }

  static UnknownCharacters dropped() {
    return new UnknownCharacters(null, -1, false);
  }

  static String byteSpelling(int unsignedByte) {
    return "<0x%02X>".formatted(unsignedByte);
  }

  /** The byte that a token of the form {@code <0x0A>} stands for, or -1. */
  static int byteOf(String spelling) {
    if (spelling.length() != 6 || !spelling.startsWith("<0x") || spelling.charAt(5) != '>')
      return -1;
    final int high = Character.digit(spelling.charAt(3), 16);
    final int low = Character.digit(spelling.charAt(4), 16);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
  }

  /**
   * Appends the ids of an unknown character.
   *
   * @param isRepeated whether the character in front of it is unknown too
   */
  void add(int codePoint, boolean isRepeated, IntArray ids) {
    if (idOfByte != null) {
      for (byte b : Character.toString(codePoint).getBytes(StandardCharsets.UTF_8)) {
        ids.add(idOfByte[b & 0xFF]);
      }
    } else if (unknownId >= 0 && !(fuses && isRepeated)) {
      ids.add(unknownId);
    }
  }
}
