package dev.stator.model.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.model.ModelFormatException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RegexDialectTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "\\h+",
        "\\Q.",
        "[[:alpha:]]",
        "(?im:.)",
        "\\p{N}{1,3}+",
        "[\\b]",
        "a\\K",
        "\\p{Klingon}",
        "(a",
        "a)"
      })
  void shouldRefuseWhatTheTwoDialectsReadDifferently(String expression) {
    final ModelFormatException refusal =
        assertThrows(ModelFormatException.class, () -> RegexFinder.compile(expression));
    assertTrue(
        refusal.getMessage().startsWith("the pre-tokenizer's pattern " + Excerpt.of(expression)),
        refusal.getMessage());
  }

  @Test
  void shouldLeaveWhatBothReadAlike() {
    final String alike = "\\p{L}+(?i:a|b)?[^\\s\\p{P}]{1,3}|\\x{41}|(?<name>c)|\\\\h|\\d";
    assertEquals(alike, RegexDialect.translate(alike));
  }

  @Test
  void shouldLookBehindByWholeCharacters() {
    final Splitter splitter = PreTokenizers.splitter("(?<=\\p{L})!");
    final String mathematicalA = "\uD835\uDD38";
    assertEquals(
        List.of(mathematicalA, "!", "1!"), WordScannerTest.words(splitter, mathematicalA + "!1!"));
  }

  @Test
  void shouldNotCutASurrogatePairWhenMatchesAreEmpty() {
    final String grins = "\uD83D\uDE00".repeat(3);
    final List<String> words = WordScannerTest.words(PreTokenizers.splitter("\\B"), grins);
    assertEquals(List.of("\uD83D\uDE00", "\uD83D\uDE00", "\uD83D\uDE00"), words);
  }
}
