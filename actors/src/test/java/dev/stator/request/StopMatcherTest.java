package dev.stator.request;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StopMatcherTest {
  @Test
  void shouldHoldBackWhatCouldBeAStopString() {
    final StopMatcher matcher = new StopMatcher(List.of("STOP"));
    assertEquals("a ", matcher.accept("a ST", true));
    assertEquals("", matcher.accept("O", true));
    assertEquals("STO", matcher.accept("S", true));
    assertEquals("S", matcher.finish());
    assertFalse(matcher.stopped());
  }

  @Test
  void shouldCutAtAStopStringThatSpansPieces() {
    final StopMatcher matcher = new StopMatcher(List.of("\n\n", "END"));
    assertEquals("one", matcher.accept("one\n", true));
    assertEquals("\nE", matcher.accept("EE", true).concat(matcher.stopped() ? "!" : ""));
    assertEquals("", matcher.accept("ND and more", true));
    assertTrue(matcher.stopped());
    assertEquals("", matcher.accept("more", true) + matcher.finish());
  }

  @Test
  void shouldTakeTheLongestOfThoseThatEndTogether() {
    assertEquals("x", new StopMatcher(List.of("c", "abc", "bc")).accept("xabc", true));
  }

  @Test
  void shouldPassOverStopStringsThatComeTooEarly() {
    final StopMatcher matcher = new StopMatcher(List.of("ab"));
    assertEquals("ab", matcher.accept("aba", false));
    assertEquals("", matcher.accept("b!", true));
    assertTrue(matcher.stopped());
  }

  @Test
  void shouldStayQuickWhenStopStringsAreHostile() {
    final String stop = "a".repeat(1023) + "b";
    final StopMatcher matcher = new StopMatcher(java.util.Collections.nCopies(16, stop));
    final String text = "a".repeat(200_000);
    assertEquals(200_000 - 1023, matcher.accept(text, true).length());
  }

  @Test
  void shouldAgreeWithANaiveSearchHoweverTheTextIsCut() {
    final Random random = new Random(1);
    int stopped = 0;
    for (int round = 0; round < 20_000; round++) {
      final String text = randomText(random, 12);
      final List<String> stops = new ArrayList<>();
      for (int i = random.nextInt(4); i > 0; i--) stops.add(randomText(random, 4) + "a");
      final int earliest = random.nextInt(text.length() + 1); // From here on, stops count.
      final StopMatcher matcher = new StopMatcher(stops);
      final StringBuilder shown = new StringBuilder();
      for (int at = 0; at < text.length(); ) {
        int next = at + 1 + random.nextInt(4);
        if (at < earliest) next = Math.min(next, earliest);
        next = Math.min(next, text.length());
        shown.append(matcher.accept(text.substring(at, next), at >= earliest));
        assertTrue(text.startsWith(shown.toString()));
        at = next;
      }
      shown.append(matcher.finish());
      assertEquals(naive(text, stops, earliest), shown.toString(), text + " " + stops);
      if (matcher.stopped()) stopped++;
    }
    assertTrue(stopped > 2000, "stopped " + stopped);
  }

  /** Looks at every end, first to last, and cuts the longest stop string that ends there. */
  private static String naive(String text, List<String> stops, int earliest) {
    for (int end = earliest + 1; end <= text.length(); end++) {
      int longest = 0;
      for (String stop : stops) {
        if (text.substring(0, end).endsWith(stop)) longest = Math.max(longest, stop.length());
      }
      if (longest > 0) return text.substring(0, end - longest);
    }
    return text;
  }

  private static String randomText(Random random, int lengthMax) {
    final StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(lengthMax + 1); i > 0; i--)
      text.append("ab".charAt(random.nextInt(2)));
    return text.toString();
  }
}
