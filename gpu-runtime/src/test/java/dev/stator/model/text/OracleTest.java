package dev.stator.model.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.StreamSupport;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;

/**
 * Compares ids with those that Hugging Face's tokenizers 0.21 gave for the same tokenizer.json and
 * text. {@code oracle.json.gz} holds, for each form of {@link OracleForms}, texts of {@link
 * RandomText} and their ids.
 */
class OracleTest {
  @Test
  void shouldGiveHuggingFacesIdsWithTheBundledVocabulary() throws IOException {
    assertIds(OracleForms.ofTiny());
  }

  @Test
  void shouldGiveHuggingFacesIdsWithRealVocabularies() throws IOException {
    assertIds(OracleForms.ofShared());
  }

  private static void assertIds(Map<String, Supplier<ObjectNode>> forms) throws IOException {
    final JsonNode recorded = recorded();
    for (Map.Entry<String, Supplier<ObjectNode>> form : forms.entrySet()) {
      final Tokenizer tokenizer = Tokenizers.fromHuggingFace(form.getValue().get(), null);
      final JsonNode cases = recorded.path(form.getKey());
      assertFalse(cases.isEmpty(), form.getKey());
      for (JsonNode one : cases) {
        final String text = one.get("text").textValue();
        final int[] expected =
            StreamSupport.stream(one.get("ids").spliterator(), false)
                .mapToInt(JsonNode::intValue)
                .toArray();
        final int[] ids = tokenizer.encode(text, Tokenizer.SpecialText.PARSED);
        assertArrayEquals(expected, ids, () -> form.getKey() + ": " + text);
      }
    }
  }

  private static JsonNode recorded() throws IOException {
    try (InputStream file = OracleTest.class.getResourceAsStream("oracle.json.gz")) {
      return Vocabularies.JSON.readTree(new GZIPInputStream(file));
    }
  }
}
