package dev.stator.model.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.model.text.Tokenizer.SpecialText;
import java.util.OptionalInt;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizerPropertiesTest {
  private static final int TEXTS = 3_000;
  private static final int REAL_TEXTS = 1_000;

  @Test
  void shouldGiveEqualIdsFromBothFormsOfTheBundledModel() {
    final Tokenizer gguf = Tokenizers.fromGguf(Vocabularies.tiny());
    final Tokenizer huggingFace =
        Tokenizers.fromHuggingFace(
            Vocabularies.sharedJson("models/hf/tokenizer.json"),
            Vocabularies.sharedJson("models/hf/tokenizer_config.json"));
    assertEquals(gguf.vocabularySize(), huggingFace.vocabularySize());
    assertEquals(gguf.beginTokenId(), huggingFace.beginTokenId());
    assertEquals(gguf.addsBeginToken(), huggingFace.addsBeginToken());
    assertEqualIds(gguf, huggingFace, TEXTS);
    for (int id = 0; id < gguf.vocabularySize(); id++) {
      assertArrayEquals(gguf.tokenBytes(id), huggingFace.tokenBytes(id));
      assertEquals(gguf.isSpecial(id), huggingFace.isSpecial(id));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama-bpe", "llama-spm", "qwen2"})
  void shouldGiveEqualIdsFromBothFormsOfARealVocabulary(String name) {
    final TokenizerMetadata metadata = Vocabularies.real(name);
    final Tokenizer huggingFace = Tokenizers.fromHuggingFace(OracleForms.ofReal(name), null);
    assertEqualIds(Tokenizers.fromGguf(metadata), huggingFace, REAL_TEXTS);
  }

  @ParameterizedTest
  @EnumSource(SpecialText.class)
  void shouldGiveTheTextBackWhenDecoded(SpecialText specialText) {
    final Tokenizer tokenizer = Tokenizers.fromGguf(Vocabularies.tiny());
    forTexts(
        TEXTS,
        false,
        text -> assertEquals(text, tokenizer.decode(tokenizer.encode(text, specialText), false)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama-bpe", "llama-spm", "qwen2"})
  void shouldGiveTheTextBackWhenDecodedWithARealVocabulary(String name) {
    final Tokenizer tokenizer = Tokenizers.fromGguf(Vocabularies.real(name));
    forTexts(
        REAL_TEXTS,
        false,
        text -> {
          // SentencePiece writes U+2581 for spaces, so that one cannot come back.
          final String expected = name.equals("llama-spm") ? text.replace('\u2581', ' ') : text;
          assertEquals(expected, tokenizer.decode(tokenizer.encode(text, SpecialText.PLAIN), true));
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama-bpe", "llama-spm", "qwen2"})
  void shouldNotMakeASpecialTokenOfPlainText(String name) {
    final Tokenizer tokenizer = Tokenizers.fromGguf(Vocabularies.real(name));
    forTexts(
        REAL_TEXTS,
        true,
        text -> {
          for (int id : tokenizer.encode(text, SpecialText.PLAIN)) {
            assertFalse(tokenizer.isSpecial(id), text);
          }
        });
  }

  @Test
  void shouldParseSpecialTextOnlyWhenAsked() {
    final Tokenizer tokenizer = Tokenizers.fromGguf(Vocabularies.tiny());
    final OptionalInt end = tokenizer.tokenId("<|im_end|>");
    assertTrue(end.isPresent() && tokenizer.isSpecial(end.getAsInt()));
    assertArrayEquals(
        new int[] {end.getAsInt(), end.getAsInt()},
        tokenizer.encode("<|im_end|><|im_end|>", SpecialText.PARSED));
    final int[] plain = tokenizer.encode("<|im_end|>", SpecialText.PLAIN);
    assertEquals("<|im_end|>", tokenizer.decode(plain, true));
    assertEquals("", tokenizer.decode(new int[] {end.getAsInt()}, true));
    assertEquals("<|im_end|>", tokenizer.decode(new int[] {end.getAsInt()}, false));
    assertEquals(OptionalInt.empty(), tokenizer.tokenId("<|no such token|>"));
  }

  @Test
  void shouldEncodeUnpairedSurrogatesAsReplacementCharacters() {
    final Tokenizer tokenizer = Tokenizers.fromGguf(Vocabularies.tiny());
    assertArrayEquals(
        tokenizer.encode("a\uFFFDb\uFFFD\uFFFD\uD83D\uDE00\uFFFD", SpecialText.PARSED),
        tokenizer.encode("a\uD800b\uDC00\uD83D\uD83D\uDE00\uD83D", SpecialText.PARSED));
  }

  @Test
  void shouldGiveEqualIdsFromManyThreads() throws InterruptedException {
    final Tokenizer tokenizer = Tokenizers.fromGguf(Vocabularies.tiny());
    final String[] failure = new String[1];
    final Thread[] threads = new Thread[4];
    for (int i = 0; i < threads.length; i++) {
      threads[i] =
          new Thread(() ->
              forTexts(
                  500,
                  false,
                  text -> {
                    final int[] ids = tokenizer.encode(text, SpecialText.PARSED);
                    if (!text.equals(tokenizer.decode(ids, false))) failure[0] = text;
                  }));
      threads[i].start();
    }
    for (Thread thread : threads) thread.join(60_000);
    assertEquals(null, failure[0]);
  }

  private static void assertEqualIds(Tokenizer one, Tokenizer other, int count) {
    forTexts(
        count,
        true,
        text -> {
          for (SpecialText special : SpecialText.values()) {
            assertArrayEquals(one.encode(text, special), other.encode(text, special), text);
          }
        });
  }

  private static void forTexts(int count, boolean withUnpairedSurrogates, Consumer<String> check) {
    final RandomText texts = new RandomText(new Random(17), withUnpairedSurrogates);
    for (int i = 0; i < count; i++) check.accept(texts.next(i % 10 == 0 ? 60 : 12));
  }
}
