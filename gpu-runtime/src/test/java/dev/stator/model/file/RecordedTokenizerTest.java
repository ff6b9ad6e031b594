package dev.stator.model.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.stator.model.text.Tokenizer;
import dev.stator.model.text.Tokenizer.SpecialText;
import dev.stator.model.text.Tokenizers;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokenizers as the files of Gemma and Phi 3 hold them, against those of other implementations. */
class RecordedTokenizerTest {
  /** With a space in front of each text, and without, as Gemma. */
  @ParameterizedTest
  @ValueSource(strings = {"gguf-phi3", "gguf-gemma2"})
  void shouldMakeTheTokensOfLlamaCpp(String name) {
    final RecordedModel recorded = RecordedModel.read(name);
    final MemorySegment file = MemorySegment.ofArray(recorded.ggufBytes());
    final Tokenizer tokenizer =
        GgufModel.text(GgufFile.read(file, ModelFileLimits.load()).metadata()).tokenizer();
    recorded
        .texts()
        .forEach((text, tokens) ->
            assertArrayEquals(tokens, tokenizer.encode(text, SpecialText.PLAIN), text));
  }

  @Test
  void shouldMakeTheTokensOfTheTokenizersLibraryInGemmasForm() throws IOException {
    final JsonNode root;
    try (InputStream in =
        RecordedModel.class.getResourceAsStream("/recorded-models/tokenizer-gemma.json")) {
      root = new ObjectMapper().readTree(in);
    }
    final Tokenizer tokenizer =
        Tokenizers.fromHuggingFace(root.get("tokenizer"), JsonNodeFactory.instance.objectNode());
    for (JsonNode one : root.get("texts")) {
      final String text = one.get("text").asText();
      final int[] tokens = tokenizer.encode(text, SpecialText.PARSED);
      assertArrayEquals(
          new ObjectMapper().convertValue(one.get("tokens"), int[].class), tokens, text);
      assertEquals(one.get("decoded").asText(), tokenizer.decode(tokens, false));
    }
  }
}
