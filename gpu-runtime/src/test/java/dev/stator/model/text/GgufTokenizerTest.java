package dev.stator.model.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GgufTokenizerTest {
  private static final String SEPARATOR = "\n__ggml_vocab_test__\n";

  @ParameterizedTest
  @ValueSource(strings = {"llama-bpe", "llama-spm", "qwen2"})
  void shouldGiveTheExpectedIdsOfARealVocabulary(String name) throws IOException {
    final Tokenizer tokenizer = Tokenizers.fromGguf(Vocabularies.real(name));
    final String base = "tokenizers/ggml-vocab-" + name + ".gguf";
    final String[] texts =
        Files.readString(Vocabularies.shared(base + ".inp")).split(SEPARATOR, -1);
    final String[] lines = Files.readString(Vocabularies.shared(base + ".out")).split("\n");
    assertEquals(lines.length, texts.length - 1, "inputs, each ended by a separator");
    for (int i = 0; i < lines.length; i++) {
      final int[] expected =
          Arrays.stream(lines[i].trim().split(" "))
              .filter(id -> !id.isEmpty())
              .mapToInt(Integer::parseInt)
              .toArray();
      assertArrayEquals(
          expected, tokenizer.encode(texts[i], Tokenizer.SpecialText.PLAIN), texts[i]);
      assertEquals(texts[i], tokenizer.decode(expected, true), "decoded");
    }
  }

  @Test
  void shouldGiveTheGoldenPromptIds() {
    final Tokenizer gguf = Tokenizers.fromGguf(Vocabularies.tiny());
    final Tokenizer huggingFace =
        Tokenizers.fromHuggingFace(
            Vocabularies.sharedJson("models/hf/tokenizer.json"),
            Vocabularies.sharedJson("models/hf/tokenizer_config.json"));
    for (JsonNode golden : Vocabularies.sharedJson("models/golden.json").get("cases")) {
      final String prompt = golden.get("prompt").textValue();
      final int[] expected =
          StreamSupport.stream(golden.get("prompt_ids").spliterator(), false)
              .mapToInt(JsonNode::intValue)
              .toArray();
      assertArrayEquals(expected, gguf.encode(prompt, Tokenizer.SpecialText.PARSED));
      assertArrayEquals(expected, huggingFace.encode(prompt, Tokenizer.SpecialText.PARSED));
      assertEquals(prompt, gguf.decode(expected, false));
    }
  }
}
