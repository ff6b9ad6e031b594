package dev.stator.request;

import java.util.List;

/**
 * Cuts a stream of text at the first stop string to be completed. Text that could be the beginning
 * of one is held back. Among stop strings that end at the same character the longest counts. What
 * comes out does not depend on how the text was cut into pieces (Knuth-Morris-Pratt, one automaton
 * a stop string). One thread.
 */
final class StopMatcher {
  private final String[] stops;
  private final int[][] borders; // borders[s][n]: longest proper border of the first n characters.
  private final int[] matched;
  private final StringBuilder held = new StringBuilder();
  private boolean stopped;

  /**
   * @param stopStrings none of them empty
   */
  StopMatcher(List<String> stopStrings) {
    stops = stopStrings.toArray(String[]::new);
    matched = new int[stops.length];
    borders = new int[stops.length][];
    for (int s = 0; s < stops.length; s++) borders[s] = bordersOf(stops[s]);
  }

  /** Whether a stop string has been completed; nothing comes out any more. */
  boolean stopped() {
    return stopped;
  }

  /**
   * Takes text; returns what can be shown.
   *
   * @param mayStop whether a stop string completed in this text counts
   */
  String accept(String text, boolean mayStop) {
    if (stopped) return "";
    if (stops.length == 0) return text;
    final StringBuilder shown = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      held.append(text.charAt(i));
      final int completed = advance(text.charAt(i));
      if (completed > 0 && mayStop) {
        shown.append(held, 0, held.length() - completed);
        held.setLength(0);
        stopped = true;
        return shown.toString();
      }
      final int safe = held.length() - longestMatch();
      shown.append(held, 0, safe);
      held.delete(0, safe);
    }
    return shown.toString();
  }

  /** Ends the text; returns what was held back. */
  String finish() {
    final String rest = held.toString();
    held.setLength(0);
    return rest;
  }

  /** The length of the longest stop string that this character completes; 0 for none. */
  private int advance(char next) {
    int completed = 0;
    for (int s = 0; s < stops.length; s++) {
      int length = matched[s];
      while (length > 0 && stops[s].charAt(length) != next) length = borders[s][length];
      if (stops[s].charAt(length) == next) length++;
      if (length == stops[s].length()) {
        completed = Math.max(completed, length);
        length = borders[s][length];
      }
      matched[s] = length;
    }
    return completed;
  }

  private int longestMatch() {
    int longest = 0;
    for (int length : matched) longest = Math.max(longest, length);
    return longest;
  }

  private static int[] bordersOf(String stop) {
    final int[] border = new int[stop.length() + 1];
    int length = 0;
    for (int n = 2; n <= stop.length(); n++) {
      final char next = stop.charAt(n - 1);
      while (length > 0 && stop.charAt(length) != next) length = border[length];
      if (stop.charAt(length) == next) length++;
      border[n] = length;
    }
    return border;
  }
}
