package dev.stator.model.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stator.model.ModelFormatException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;

class HostileTokenizerJsonTest {
  private static final int MUTANTS = 6_000;
  private static final int BYTES = 256;

  private final ObjectNode sound = sound();

  @Test
  void shouldEncodeWithTheSoundFile() {
    final Tokenizer tokenizer = Tokenizers.fromHuggingFace(sound, null);
    assertEquals(OptionalInt.of(BYTES + 2), tokenizer.beginTokenId());
    assertTrue(tokenizer.addsBeginToken());
    assertArrayEquals(
        new int[] {BYTES + 1, BYTES + 2, BYTES + 3},
        tokenizer.encode("hey<s>  <pad>", Tokenizer.SpecialText.PARSED));
  }

  @Test
  void shouldTakeTheBeginTokenFromTheConfigurationFirst() {
    final ObjectNode config =
        HuggingFaceForms.json("{'bos_token': {'content': '<pad>'}, 'add_bos_token': false}");
    final Tokenizer tokenizer = Tokenizers.fromHuggingFace(sound, config);
    assertEquals(OptionalInt.of(BYTES + 3), tokenizer.beginTokenId());
    assertFalse(tokenizer.addsBeginToken());
  }

  @Test
  void shouldFindTokensThatOnlyTheConfigurationAdds() {
    final ObjectNode config =
        HuggingFaceForms.json(
            "{'added_tokens_decoder': {'300': {'content': '<tool>', 'special': true}}}");
    final Tokenizer tokenizer = Tokenizers.fromHuggingFace(sound, config);
    assertEquals(301, tokenizer.vocabularySize());
    assertArrayEquals(new int[] {300}, tokenizer.encode("<tool>", Tokenizer.SpecialText.PARSED));
    assertEquals("", tokenizer.decode(new int[] {280, 300}, true), "an id without a token");
  }

  @Test
  void shouldRefuseWhatItDoesNotSupport() {
    assertRefused(
        "/model",
        "type",
        "'Unigram'",
        "tokenizer.json: model asks for the type 'Unigram', which is not supported");
    assertRefused(
        "/model",
        "dropout",
        "0.1",
        "tokenizer.json: model asks for dropout, which is not supported");
    assertRefused(
        "/model",
        "end_of_word_suffix",
        "'</w>'",
        "tokenizer.json: model asks for end_of_word_suffix, which is not supported");
    assertRefused(
        "",
        "normalizer",
        "{'type': 'BertNormalizer'}",
        "tokenizer.json: normalizer asks for the normalizer 'BertNormalizer', which is not"
            + " supported");
    assertRefused(
        "",
        "pre_tokenizer",
        "{'type': 'Whitespace'}",
        "tokenizer.json: pre_tokenizer asks for the pre-tokenizer 'Whitespace', which is not"
            + " supported");
    assertRefused(
        "",
        "decoder",
        "{'type': 'WordPiece'}",
        "tokenizer.json: decoder asks for the decoder 'WordPiece', which is not supported");
    assertRefused(
        "",
        "post_processor",
        "{'type': 'RobertaProcessing'}",
        "tokenizer.json: post_processor asks for the post-processor 'RobertaProcessing', which is"
            + " not supported");
    assertRefused(
        "",
        "post_processor",
        "{'type': 'TemplateProcessing', 'single': [{'Sequence': {}}, {'SpecialToken': {'id':"
            + " '<s>'}}]}",
        "tokenizer.json: post_processor.single[1] asks for another token than one in front of the"
            + " text, which is not supported");
    assertRefused("", "decoder", "null", "tokenizer.json: decoder is missing");
    assertRefused(
        "/pre_tokenizer/pretokenizers/0/pattern",
        "Regex",
        "'(a'",
        "the pre-tokenizer's pattern '(a' is not supported: 'Unclosed group'");
  }

  @Test
  void shouldRefuseBrokenVocabularies() {
    assertRefused(
        "/model", "vocab", "[]", "tokenizer.json: model.vocab is an array, expected an object");
    assertRefused("/model", "vocab", "null", "tokenizer.json: model.vocab is missing");
    assertRefused(
        "/model",
        "merges",
        "['h']",
        "tokenizer.json: model.merges has '\"h\"', expected two tokens with a space between them");
    assertRefused(
        "/model",
        "merges",
        "[['h', 'q!']]",
        "merge 0, which makes 'hq!', names 'q!', which is not in the vocabulary");
    assertRefused(
        "/model/vocab",
        "he",
        "0",
        "tokenizer.json: the tokens '\u0100' and 'he' have the same id 0");
    assertRefused(
        "/model/vocab",
        "he",
        "-1",
        "tokenizer.json: model.vocab is '-1', expected a token id of 0 to 4194303");
    assertRefused(
        "/model/vocab",
        "he",
        "2000000000",
        "tokenizer.json: model.vocab is '2000000000', expected a token id of 0 to 4194303");
    assertRefused(
        "/model/vocab",
        "he",
        "4000000",
        "tokenizer.json: the highest token id is 4000000, but there are only 260 tokens");
    assertRefused(
        "/added_tokens/0",
        "id",
        "257",
        "tokenizer.json: the tokens 'hey' and '<s>' have the same id 257");
    assertRefused(
        "/added_tokens/0",
        "content",
        "'he'",
        "tokenizer.json: the added token 'he' has id 258, but 256 in model.vocab");
    assertRefused(
        "/added_tokens/0",
        "content",
        "''",
        "tokenizer.json: added_tokens[0].content is '', expected 1 to 1024 characters");
    assertRefused(
        "/added_tokens/0",
        "special",
        "'yes'",
        "tokenizer.json: added_tokens[0].special is 'yes', expected true or false");
    final ObjectNode vocab = (ObjectNode) sound.at("/model/vocab");
    vocab.remove("a");
    assertRefused(
        "",
        "version",
        "'1.0'",
        "the vocabulary has no token for byte 0x61, which byte-level BPE spells 'a'");
  }

  @Test
  void shouldBuildOrRefuseEveryMutant() {
    final Random random = new Random(29);
    int built = 0;
    for (int i = 0; i < MUTANTS; i++) {
      final ObjectNode mutant = sound.deepCopy();
      for (int changes = 1 + random.nextInt(3); changes > 0; changes--) mutate(mutant, random);
      try {
        final Tokenizer tokenizer = Tokenizers.fromHuggingFace(mutant, null);
        tokenizer.decode(
            tokenizer.encode("hey \u20AC <s>  <pad>\n12", Tokenizer.SpecialText.PARSED), true);
        built++;
      } catch (ModelFormatException | TextTooComplexException refusal) {
        assertFalse(refusal.getMessage().contains("\n"), refusal.getMessage());
      }
    }
    assertTrue(built > 0 && built < MUTANTS, built + " mutants were sound");
  }

  private void mutate(ObjectNode root, Random random) {
    JsonNode at = root;
    while (true) {
      final List<String> names = new ArrayList<>();
      at.fieldNames().forEachRemaining(names::add);
      final int size = at.isObject() ? names.size() : at.size();
      if (size == 0) return;
      final int index = random.nextInt(size);
      final JsonNode child = at.isObject() ? at.get(names.get(index)) : at.get(index);
      if (child.isContainerNode() && random.nextInt(4) != 0) {
        at = child;
        continue;
      }
      if (at instanceof ObjectNode object) {
        if (random.nextInt(4) == 0) object.remove(names.get(index));
        else object.set(names.get(index), changed(child, random));
      } else if (at instanceof ArrayNode array) {
        if (random.nextInt(4) == 0) array.remove(index);
        else array.set(index, changed(child, random));
      }
      return;
    }
  }

  private JsonNode changed(JsonNode node, Random random) {
    final JsonNodeFactory json = JsonNodeFactory.instance;
    if (node.isTextual() && random.nextBoolean()) {
      final StringBuilder text = new StringBuilder(node.textValue());
      final char c = "()[]{}*+?\\|p\uD800 \u0000'".charAt(random.nextInt(16));
      return json.textNode(text.insert(random.nextInt(text.length() + 1), c).toString());
    }
    return switch (random.nextInt(9)) {
      case 0 -> json.nullNode();
      case 1 -> json.booleanNode(random.nextBoolean());
      case 2 -> json.numberNode(random.nextInt());
      case 3 -> json.numberNode(random.nextInt(300));
      case 4 -> json.numberNode(random.nextDouble());
      case 5 -> json.arrayNode().add("he").add("y");
      case 6 -> json.objectNode().put("type", "ByteLevel");
      case 7 -> sound.at(random.nextBoolean() ? "/pre_tokenizer" : "/normalizer").deepCopy();
      default -> json.textNode(List.of("", " ", "a", "ByteLevel", "<s>").get(random.nextInt(5)));
    };
  }

  private void assertRefused(String parent, String field, String value, String message) {
    final ObjectNode broken = sound.deepCopy();
    final JsonNode node = HuggingFaceForms.json("{'it': " + value + "}").get("it");
    ((ObjectNode) broken.at(parent)).set(field, node);
    final ModelFormatException refusal =
        assertThrows(
            ModelFormatException.class, () -> Tokenizers.fromHuggingFace(broken, null), message);
    assertEquals(message, refusal.getMessage());
  }

  /** A small file that asks for most of what is supported. */
  private static ObjectNode sound() {
    final ObjectNode root =
        HuggingFaceForms.json(
            "{'added_tokens': [ {'id': 258, 'content': '<s>', 'special': true, 'rstrip': true},"
                + " {'id': 259, 'content': '<pad>', 'single_word': true, 'normalized':"
                + " true}],'normalizer': {'type': 'Sequence', 'normalizers': [{'type': 'NFC'},"
                + " {'type': 'Replace', 'pattern': {'String': '~'}, 'content':"
                + " '-'}]},'pre_tokenizer': {'type': 'Sequence', 'pretokenizers': [ {'type':"
                + " 'Split', 'pattern': {'Regex': '\\\\s?\\\\p{L}+'}, 'behavior': 'Isolated'},"
                + " {'type': 'Split', 'pattern': {'String': 'x'}, 'behavior': 'MergedWithNext'},"
                + " {'type': 'Digits', 'individual_digits': true}, {'type': 'Punctuation'},"
                + " {'type': 'ByteLevel', 'add_prefix_space': false, 'use_regex':"
                + " true}]},'post_processor': {'type': 'Sequence', 'processors': [{'type':"
                + " 'ByteLevel'}, {'type': 'TemplateProcessing', 'single': [  {'SpecialToken':"
                + " {'id': '<s>', 'type_id': 0}}, {'Sequence': {'id': 'A'}}]}]},'decoder': {'type':"
                + " 'Sequence', 'decoders': [{'type': 'ByteLevel'}, {'type': 'Fuse'}]},'model':"
                + " {'type': 'BPE', 'ignore_merges': true, 'byte_fallback': false, 'vocab': {},"
                + " 'merges': ['h e', ['he', 'y']]}}");
    final ObjectNode vocab = (ObjectNode) root.at("/model/vocab");
    for (int b = 0; b < BYTES; b++) vocab.put(String.valueOf(ByteAlphabet.charOf(b)), b);
    vocab.put("he", BYTES).put("hey", BYTES + 1);
    return root;
  }
}
