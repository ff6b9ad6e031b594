package dev.stator.model.text;

/** What UTF-8 needs beyond the JDK. */
final class Utf8 {
  private Utf8() {}

  /** The text with U+FFFD in place of each unpaired surrogate. */
  static String withoutUnpairedSurrogates(String text) {
    int at = 0;
    while (at < text.length() && !Character.isSurrogate(text.charAt(at))) at++;
    if (at == text.length()) return text;
    final char[] chars = text.toCharArray();
    for (; at < chars.length; at++) {
      if (!Character.isSurrogate(chars[at])) continue;
      final boolean isPair =
          at + 1 < chars.length && Character.isSurrogatePair(chars[at], chars[at + 1]);
      if (isPair) at++;
      else chars[at] = '\uFFFD';
    }
    return new String(chars);
  }

  /**
   * How many bytes at the end of the first {@code length} begin a character that the next bytes may
   * complete: 0 to 3. They are the well-formed beginnings of Unicode's table 3-7.
   */
  static int unfinishedTail(byte[] bytes, int length) {
    for (int tail = 1; tail <= 3 && tail <= length; tail++) {
      final int lead = bytes[length - tail] & 0xFF;
      if (lead < 0x80) return 0;
      if (lead < 0xC0) continue;
      return isBeginning(lead, bytes, length - tail + 1, length) ? tail : 0;
    }
    return 0;
  }

  private static boolean isBeginning(int lead, byte[] bytes, int from, int to) {
    final int characterLength =
        lead < 0xC2 || lead > 0xF4 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (to - from + 1 >= characterLength) return false;
    if (from == to) return true;
    final int second = bytes[from] & 0xFF;
    return switch (lead) {
      case 0xE0 -> second >= 0xA0;
      case 0xED -> second < 0xA0;
      case 0xF0 -> second >= 0x90;
      case 0xF4 -> second < 0x90;
      default -> true;
    };
  }
}
