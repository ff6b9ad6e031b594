package dev.stator.model.grammar;

import static dev.stator.model.grammar.GrammarFixture.BYTES;
import static dev.stator.model.grammar.GrammarFixture.accepts;
import static dev.stator.model.grammar.GrammarFixture.automaton;
import static dev.stator.model.grammar.GrammarFixture.regex;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Regular expressions against the JDK's. */
class RegexTest {
  private static final String LETTERS = "ab0 _é漢😀\n\"\\-";
  private static final int RANDOM_PATTERNS = 400;
  private static final int TEXTS_EACH = 40;

  @Test
  void shouldMatchAsTheJdkDoesOnRandomPatterns() {
    final Random random = new Random(1);
    int matches = 0;
    for (int i = 0; i < RANDOM_PATTERNS; i++) {
      final String pattern = pattern(random, 3);
      final Pattern oracle = Pattern.compile(pattern, Pattern.UNIX_LINES);
      final Automaton automaton = automaton(regex(pattern), BYTES);
      for (int j = 0; j < TEXTS_EACH; j++) {
        final String text = text(random);
        final boolean expected = oracle.matcher(text).matches();
        if (expected) matches++;
        assertEquals(expected, accepts(automaton, text), () -> pattern + " on " + text);
      }
    }
    assertTrue(matches > RANDOM_PATTERNS, "so few match that little is tried: " + matches);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\\d{3}-\\d{4}",
        "[A-Z][a-z]+( [A-Z][a-z]+)*",
        "(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)(?:\\.(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)){3}",
        "(?<year>\\d{4})/(?:0[1-9]|1[0-2])",
        "^(yes|no|maybe so)$",
        "[^\\s\\d]{2,5}?",
        "\\x41\\u00e9\\.\\p{Lu}\\P{L}",
        "a{0}b{2,}|[-a-c]|[a\\]-]+",
        "[\\u4e00-\\u9fff]{1,3}",
        ""
      })
  void shouldOnlyWriteWhatTheJdkMatches(String pattern) {
    final Pattern oracle = Pattern.compile(pattern);
    final ListTokenizer tokenizer = ListTokenizer.random(new Random(3), "aZ09é漢.-/ yesno", 300);
    final Automaton automaton = automaton(regex(pattern), TokenTrie.of(tokenizer));
    final Random random = new Random(2);
    for (int i = 0; i < 50; i++) {
      final var tokens = GrammarFixture.draw(automaton, random, 500);
      if (tokens == null) continue;
      final String text =
          tokenizer.decode(tokens.stream().mapToInt(Integer::intValue).toArray(), true);
      assertTrue(oracle.matcher(text).matches(), () -> pattern + " on " + text);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '@',
      value = {
        "(?=a)b@ only groups",
        "(?i)a @ only groups",
        "(a @ without its ')'",
        "a) @ without its '('",
        "a** @ quantifier behind",
        "*a @ nothing to repeat",
        "[b-a] @ a range that is none",
        "[a @ without its ']'",
        "\\bword @ not supported",
        "(a)\\1 @ not supported",
        "a{3,1} @ more at least",
        "a{x} @ no count",
        "a\\ @ backslash",
        "a^b @ beginning and the end",
        "(a$)* @ beginning and the end",
        "\\ud800 @ half a character",
        "\\u{110000} @ beyond Unicode",
        "\\p{Greek} @ not supported",
        "(((a{1000}){1000}){1000}) @ states-max",
        "(a?){20000} @ edges",
        "[^\\x{0}-\\x{10FFFF}] @ no text is allowed",
      })
  void shouldRefuseWhatItCannotKeep(String pattern, String reason) {
    final ConstraintException fault =
        assertThrows(
            ConstraintException.class,
            () -> ConstraintCompiler.check(regex(pattern.strip()), GrammarFixture.SETTINGS));
    assertTrue(fault.getMessage().contains(reason.strip()), fault.getMessage());
  }

  @Test
  void shouldRefuseNestingBeyondTheLimit() {
    final String pattern = "(".repeat(100_00) + "a" + ")".repeat(100_00);
    final ConstraintException fault =
        assertThrows(
            ConstraintException.class,
            () -> ConstraintCompiler.check(regex(pattern), GrammarFixture.SETTINGS));
    assertTrue(fault.getMessage().contains("stator.grammar.nesting-max"), fault.getMessage());
  }

  @Test
  void shouldNeverAllowBytesThatAreNotUtf8() {
    final ConstrainedText answer = new ConstrainedText(automaton(regex("[^a]*"), BYTES));
    assertTrue(answer.add(0xE6)); // The first of three bytes.
    assertFalse(answer.isComplete());
    assertFalse(answer.allows('b'));
    assertFalse(answer.allows(0xFF));
    assertTrue(answer.add(0xBC));
    assertTrue(answer.add(0xA2));
    assertTrue(answer.isComplete());
  }

  private static String pattern(Random random, int depth) {
    final int kind = random.nextInt(depth == 0 ? 4 : 9);
    return switch (kind) {
      case 0, 1 -> quoted(character(random));
      case 2 -> random.nextBoolean() ? "\\d" : random.nextBoolean() ? "\\W" : "\\s";
      case 3 -> "[" + (random.nextBoolean() ? "^" : "") + quoted(character(random)) + "a-b0]";
      case 4, 5 -> pattern(random, depth - 1) + pattern(random, depth - 1);
      case 6 -> "(" + pattern(random, depth - 1) + "|" + pattern(random, depth - 1) + ")";
      case 7 -> "(?:" + pattern(random, depth - 1) + ")" + "*+?".charAt(random.nextInt(3));
      default -> "(" + pattern(random, depth - 1) + "){1," + random.nextInt(1, 4) + "}";
    };
  }

  private static String text(Random random) {
    final StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(5); i > 0; i--) text.append(character(random));
    return text.toString();
  }

  private static String character(Random random) {
    final int[] points = LETTERS.codePoints().toArray();
    return Character.toString(points[random.nextInt(points.length)]);
  }

  private static String quoted(String character) {
    if (character.equals("\n")) return "\\n";
    return "\"\\-".contains(character) ? "\\" + character : character;
  }
}
