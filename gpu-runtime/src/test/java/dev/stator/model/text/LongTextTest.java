package dev.stator.model.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A long text takes a moment, whatever it consists of. */
class LongTextTest {
  private static final int LENGTH = 300_000;

  /** Processor time for what takes a tenth of a second; with a quadratic step a minute or more. */
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private static final List<String> UNITS =
      List.of(
          "a",
          "A",
          " ",
          "\n",
          "\r\n ",
          "7",
          "'",
          "/",
          "\u4F60",
          "\u0301",
          "ab ",
          "<|im_",
          "\uD83D\uDE00");

  static Stream<String> expressions() {
    return Stream.of(
        PreTokenizers.GPT2,
        PreTokenizers.LLAMA3,
        PreTokenizers.QWEN35,
        PreTokenizers.TEKKEN,
        PreTokenizers.O200K);
  }

  static Stream<List<String>> chains() {
    return Stream.of(
        PreTokenizers.DEEPSEEK_LLM,
        PreTokenizers.DEEPSEEK_CODER,
        PreTokenizers.DEEPSEEK_V3,
        PreTokenizers.STARCODER);
  }

  @ParameterizedTest
  @MethodSource("expressions")
  void shouldEncodeALongTextInBoundedTime(String expression) {
    shouldEncode(HuggingFaceForms.byteLevel(Vocabularies.tiny(), expression, true));
  }

  @ParameterizedTest
  @MethodSource("chains")
  void shouldEncodeALongTextInBoundedTimeWithSeveralExpressions(List<String> expressions) {
    shouldEncode(
        HuggingFaceForms.byteLevel(
            Vocabularies.tiny(),
            expressions.stream().map(HuggingFaceForms::split).toList(),
            false));
  }

  @Test
  void shouldEncodeALongTextInBoundedTimeWhenNormalized() {
    final ObjectNode root =
        HuggingFaceForms.byteLevel(Vocabularies.tiny(), PreTokenizers.QWEN2, false);
    root.set("normalizer", HuggingFaceForms.json("{'type': 'NFC'}"));
    final Tokenizer tokenizer = Tokenizers.fromHuggingFace(root, null);
    // Marks of two combining classes in turns: all of one class have to be moved in front.
    final String text = "a" + "\u0301\u0316".repeat(LENGTH / 2);
    ProcessorTime.within(
        PATIENCE, "marks", () -> tokenizer.encode(text, Tokenizer.SpecialText.PLAIN));
  }

  @Test
  void shouldEncodeALongTextInBoundedTimeWithSentencePiece() {
    assertRoundTrips(Tokenizers.fromGguf(Vocabularies.real("llama-spm")));
    shouldEncode(HuggingFaceForms.sentencePiece(Vocabularies.real("llama-spm")));
  }

  @Test
  void shouldRefuseATextOnWhichAPatternOfTheModelsOwnTakesTooLong() {
    final Tokenizer tokenizer =
        Tokenizers.fromHuggingFace(
            HuggingFaceForms.byteLevel(Vocabularies.tiny(), "a+b", false), null);
    final TextTooComplexException refusal =
        ProcessorTime.within(
            PATIENCE,
            "a pattern of its own",
            () ->
                assertThrows(
                    TextTooComplexException.class,
                    () -> tokenizer.encode("a".repeat(LENGTH), Tokenizer.SpecialText.PLAIN)));
    assertTrue(
        refusal.getMessage().startsWith("the text of 300000 characters"), refusal.getMessage());
  }

  private static void shouldEncode(ObjectNode root) {
    assertRoundTrips(Tokenizers.fromHuggingFace(root, null));
  }

  private static void assertRoundTrips(Tokenizer tokenizer) {
    for (String unit : UNITS) {
      final String text = unit.repeat(LENGTH / unit.length());
      final int[] ids =
          ProcessorTime.within(
              PATIENCE, unit, () -> tokenizer.encode(text, Tokenizer.SpecialText.PLAIN));
      assertEquals(text, tokenizer.decode(ids, true));
    }
  }
}
