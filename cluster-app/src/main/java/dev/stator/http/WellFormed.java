package dev.stator.http;

/** JSON can name half a surrogate pair; UTF-8 cannot carry one. */
final class WellFormed {
  private static final char REPLACEMENT = '\uFFFD';

  private WellFormed() {}

  /** The text with each unpaired surrogate as U+FFFD. */
  static String text(String text) {
    int first = firstUnpaired(text, 0);
    if (first < 0) return text;
    StringBuilder repaired = new StringBuilder(text);
    for (int index = first; index >= 0; index = firstUnpaired(text, index + 1)) {
      repaired.setCharAt(index, REPLACEMENT);
    }
    return repaired.toString();
  }

  private static int firstUnpaired(String text, int from) {
    for (int index = from; index < text.length(); index++) {
      char unit = text.charAt(index);
      if (!Character.isSurrogate(unit)) continue;
      boolean isPair =
          Character.isHighSurrogate(unit)
              && index + 1 < text.length()
              && Character.isLowSurrogate(text.charAt(index + 1));
      if (!isPair) return index;
      index++;
    }
    return -1;
  }
}
