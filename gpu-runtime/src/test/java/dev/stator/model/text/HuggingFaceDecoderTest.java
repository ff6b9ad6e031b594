package dev.stator.model.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stator.model.ModelFormatException;
import org.junit.jupiter.api.Test;

class HuggingFaceDecoderTest {
  private static final String LLAMA_2 =
      "{'type': 'Sequence', 'decoders': [{'type': 'Replace', 'pattern': {'String': '\u2581'},"
          + " 'content': ' '},{'type': 'ByteFallback'}, {'type': 'Fuse'}, {'type': 'Strip',"
          + " 'content': ' ', 'start': 1, 'stop': 0}]}";
  private static final int[] HELLO_BYTE_BYTE = {0, 1, 2, 3};

  @Test
  void shouldStripOneLeadingSpaceAndJoinBytes() {
    assertEquals(" hi\u00E9", decode(LLAMA_2, HELLO_BYTE_BYTE));
    assertEquals("hi", decode(LLAMA_2, 1));
    assertEquals("hi hi", decode(LLAMA_2, 4, 1, 1), "after a special token that is left out");
  }

  @Test
  void shouldStripTheSpaceThatMetaspaceHasPut() {
    final String metaspace =
        "{'type': 'Metaspace', 'replacement': '\u2581', 'prepend_scheme': '%s'}";
    assertEquals("hi hi", decode(metaspace.formatted("always"), 1, 1));
    assertEquals("hi hi", decode(metaspace.formatted("first"), 1, 1));
    assertEquals(" hi hi", decode(metaspace.formatted("never"), 1, 1));
  }

  @Test
  void shouldRefuseToStripAnythingElse() {
    for (String strip :
        new String[] {
          "'content': 'x', 'start': 1, 'stop': 0",
          "'content': ' ', 'start': 2, 'stop': 0",
          "'content': ' ', 'start': 0, 'stop': 1"
        }) {
      assertThrows(ModelFormatException.class, () -> decode("{'type': 'Strip', " + strip + "}", 1));
    }
  }

  private static String decode(String decoder, int... ids) {
    final ObjectNode root =
        HuggingFaceForms.json(
            "{'added_tokens': [{'id': 4, 'content': '<s>', 'special': true}], 'model': {'type':"
                + " 'BPE', 'vocab': {'\u2581': 0, '\u2581hi': 1, '<0xC3>': 2, '<0xA9>': 3, '<s>':"
                + " 4}, 'merges': []}}");
    root.set("decoder", HuggingFaceForms.json(decoder));
    return Tokenizers.fromHuggingFace(root, null).decode(ids, true);
  }
}
