package dev.stator.model.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class WordScannerTest {
  private static final int TEXTS = 4_000;

  /** Few characters of each class: every alternative and every way back meets every other. */
  private static final String CLASSES =
      "aZ\u01C5\u0915\u02B0\u0301\u00E9 \n\r\t\u3000/'slLre9\u0663!\u20AC";

  static Stream<String> expressions() {
    return Stream.of(
        PreTokenizers.GPT2,
        PreTokenizers.LLAMA3,
        PreTokenizers.QWEN2,
        PreTokenizers.QWEN35,
        PreTokenizers.CL100K,
        PreTokenizers.BAILING,
        PreTokenizers.TEKKEN,
        PreTokenizers.O200K);
  }

  @ParameterizedTest
  @MethodSource("expressions")
  void shouldCutAsTheRegularExpressionDoes(String expression) {
    final Splitter scanner =
        assertInstanceOf(WordScanner.class, PreTokenizers.splitter(expression));
    final Pattern pattern =
        Pattern.compile(expression, Pattern.UNICODE_CHARACTER_CLASS | Pattern.UNICODE_CASE);
    final Random random = new Random(7);
    final RandomText texts = new RandomText(random, false);
    for (int i = 0; i < TEXTS; i++) {
      final String text = i % 2 == 0 ? texts.next(12) : ofClasses(random);
      assertEquals(matches(pattern, text), words(scanner, text), text);
    }
  }

  /** As the tokenizer.json of Llama 3, Qwen 2, Mistral Nemo, GPT-4o and GPT-2's kind spell them. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}"
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+"
            + "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|\\p{N}|"
            + " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+"
            + "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
            + "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+"
            + "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}|"
            + " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
      })
  void shouldKnowAFamilyByItsExpression(String expression) {
    assertInstanceOf(WordScanner.class, PreTokenizers.splitter(expression));
    assertInstanceOf(
        WordScanner.class,
        PreTokenizers.splitter(expression, MatchSplitter.Behavior.REMOVED, true));
  }

  @Test
  void shouldLookAtNothingOutsideOfTheRange() {
    final List<String> words = new ArrayList<>();
    PreTokenizers.splitter(PreTokenizers.LLAMA3)
        .split("abc  def's", 1, 5, (text, start, end) -> words.add(text.substring(start, end)));
    assertEquals(List.of("bc", "  "), words);
  }

  @Test
  void shouldCutEachWordOnceMoreWhenChained() {
    final Splitter chain =
        PreTokenizers.splitter("\\p{N}").then(PreTokenizers.splitter(PreTokenizers.GPT2));
    assertEquals(List.of("a", " ", "1", "2", " b"), words(chain, "a 12 b"));
  }

  private static String ofClasses(Random random) {
    final StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(14); i > 0; i--) {
      text.append(CLASSES.charAt(random.nextInt(CLASSES.length())));
    }
    return text.toString();
  }

  private static List<String> matches(Pattern pattern, String text) {
    final List<String> matches = new ArrayList<>();
    final Matcher matcher = pattern.matcher(text);
    while (matcher.find()) matches.add(matcher.group());
    return matches;
  }

  static List<String> words(Splitter splitter, String text) {
    final List<String> words = new ArrayList<>();
    splitter.split(
        text, 0, text.length(), (word, start, end) -> words.add(word.substring(start, end)));
    return words;
  }
}
