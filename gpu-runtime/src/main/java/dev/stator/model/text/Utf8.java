package dev.stator.model.text;

import java.nio.charset.StandardCharsets;

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
   * The text of the first {@code length} bytes. Broken bytes become U+FFFD, one for each longest
   * beginning of a character, as Unicode recommends; the JDK differs where UTF-8 spells a
   * surrogate.
   */
  static String decode(byte[] bytes, int length) {
    final String text = new String(bytes, 0, length, StandardCharsets.UTF_8);
    if (text.indexOf('\uFFFD') < 0) return text;
    final StringBuilder careful = new StringBuilder(length);
    int at = 0;
    while (at < length) {
      final int beginning = beginning(bytes, at, length);
      final boolean isWhole = beginning > 0 && beginning == characterLength(bytes[at] & 0xFF);
      careful.append(isWhole ? new String(bytes, at, beginning, StandardCharsets.UTF_8) : "\uFFFD");
      at += Math.max(beginning, 1);
    }
    return careful.toString();
  }

  /**
   * How many bytes at the end of the first {@code length} begin a character that the next bytes may
   * complete: 0 to 3.
   */
  static int unfinishedTail(byte[] bytes, int length) {
    for (int tail = 1; tail <= 3 && tail <= length; tail++) {
      final int lead = bytes[length - tail] & 0xFF;
      if (isContinuation(lead)) continue;
      final boolean isUnfinished =
          tail < characterLength(lead) && beginning(bytes, length - tail, length) == tail;
      return isUnfinished ? tail : 0;
    }
    return 0;
  }

  /** How many bytes at {@code at} are a character's or its beginning's; Unicode's table 3-7. */
  private static int beginning(byte[] bytes, int at, int length) {
    final int lead = bytes[at] & 0xFF;
    final int characterLength = characterLength(lead);
    final int end = Math.min(length, at + characterLength);
    int next = at + 1;
    if (next < end && !maySecond(lead, bytes[next] & 0xFF)) return 1;
    while (next < end && isContinuation(bytes[next] & 0xFF)) next++;
    return characterLength == 0 ? 0 : next - at;
  }

  private static boolean maySecond(int lead, int second) {
    return switch (lead) {
      case 0xE0 -> second >= 0xA0 && second <= 0xBF;
      case 0xED -> second >= 0x80 && second <= 0x9F;
      case 0xF0 -> second >= 0x90 && second <= 0xBF;
      case 0xF4 -> second >= 0x80 && second <= 0x8F;
      default -> isContinuation(second);
    };
  }

  private static boolean isContinuation(int unsignedByte) {
    return (unsignedByte & 0xC0) == 0x80;
  }

  /** By the first byte; 0 where no character begins with it. */
  private static int characterLength(int lead) {
    if (lead < 0x80) return 1;
    if (lead < 0xC2 || lead > 0xF4) return 0;
    return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  }
}
