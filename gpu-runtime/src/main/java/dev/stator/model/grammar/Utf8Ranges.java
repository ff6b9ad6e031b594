package dev.stator.model.grammar;

import java.nio.charset.StandardCharsets;

/**
 * Ranges of characters as sequences of byte ranges, in UTF-8: {@code U+0080..U+07FF} is {@code
 * [C2-DF][80-BF]}. The way of R. Cox's RE2 (2010).
 */
final class Utf8Ranges {
  /** Takes one sequence. */
  @FunctionalInterface
  interface Sink {
    /**
     * @param first of each byte's range
     * @param last of each byte's range
     */
    void accept(byte[] first, byte[] last);
  }

  private static final int[] LAST_OF_LENGTH = {0x7F, 0x7FF, 0xFFFF, Character.MAX_CODE_POINT};
  private static final int CONTINUATION_BITS = 6;

  private Utf8Ranges() {}

  static void split(CharacterSet set, Sink sink) {
    final int[] bounds = set.bounds();
    for (int i = 0; i < bounds.length; i += 2) split(bounds[i], bounds[i + 1], sink);
  }

  private static void split(int first, int last, Sink sink) {
    for (int longest : LAST_OF_LENGTH) {
      if (first <= longest && last > longest) {
        split(first, longest, sink);
        split(longest + 1, last, sink);
        return;
      }
    }
    if (last > LAST_OF_LENGTH[0]) {
      for (int bytes = 1; bytes < 4; bytes++) {
        final int below = (1 << bytes * CONTINUATION_BITS) - 1;
        if ((first & ~below) == (last & ~below)) break;
        if ((first & below) != 0) {
          split(first, first | below, sink);
          split((first | below) + 1, last, sink);
          return;
        }
        if ((last & below) != below) {
          split(first, (last & ~below) - 1, sink);
          split(last & ~below, last, sink);
          return;
        }
      }
    }
    sink.accept(utf8(first), utf8(last));
  }

  static byte[] utf8(int character) {
    return Character.toString(character).getBytes(StandardCharsets.UTF_8);
  }
}
