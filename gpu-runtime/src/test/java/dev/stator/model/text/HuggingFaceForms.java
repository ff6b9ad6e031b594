package dev.stator.model.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Writes a GGUF file's vocabulary as the tokenizer.json that its model has on Hugging Face. */
final class HuggingFaceForms {
  private static final int CONTROL = 3;
  private static final int NORMAL = 1;
  private static final int BYTE = 6;

  /** A pair of pieces that make a third, as transformers derives merges from scores. */
  private record Split(String left, String right, float score, int leftId, int rightId) {}

  private HuggingFaceForms() {}

  /** Byte-level BPE whose words are what the expression matches. */
  static ObjectNode byteLevel(TokenizerMetadata gguf, String expression, boolean ignoresMerges) {
    return byteLevel(gguf, List.of(split(expression)), ignoresMerges);
  }

  /** A pre-tokenizer that isolates what the expression matches. */
  static ObjectNode split(String expression) {
    final ObjectNode split =
        json("{'type': 'Split', 'behavior': 'Isolated', 'invert': false, 'pattern': {}}");
    ((ObjectNode) split.get("pattern")).put("Regex", expression);
    return split;
  }

  /** Byte-level BPE with the pre-tokenizers in front of ByteLevel. */
  static ObjectNode byteLevel(
      TokenizerMetadata gguf, List<? extends JsonNode> preTokenizers, boolean ignoresMerges) {
    final ObjectNode root =
        json(
            "{'added_tokens': [], 'normalizer': null, 'post_processor': null,"
                + "'pre_tokenizer': {'type': 'Sequence', 'pretokenizers': []},"
                + "'decoder': {'type': 'ByteLevel', 'add_prefix_space': true, 'trim_offsets': true,"
                + " 'use_regex': true},"
                + "'model': {'type': 'BPE', 'dropout': null, 'unk_token': null, 'fuse_unk': false,"
                + " 'byte_fallback': false, 'vocab': {}, 'merges': []}}");
    final ArrayNode steps = (ArrayNode) root.at("/pre_tokenizer/pretokenizers");
    preTokenizers.forEach(steps::add);
    steps.add(
        json(
            "{'type': 'ByteLevel', 'add_prefix_space': false, 'trim_offsets': true,"
                + " 'use_regex': false}"));
    ((ObjectNode) root.get("model")).put("ignore_merges", ignoresMerges);
    fillTokens(gguf, root, NORMAL, NORMAL);
    final ArrayNode merges = (ArrayNode) root.at("/model/merges");
    gguf.strings("tokenizer.ggml.merges").forEach(merges::add);
    return root;
  }

  /** SentencePiece's BPE as Llama 2 has it: normalizers write U+2581 for spaces. */
  static ObjectNode sentencePiece(TokenizerMetadata gguf) {
    final ObjectNode root =
        json(
            "{'added_tokens': [], 'pre_tokenizer': null, 'post_processor': null,'normalizer':"
                + " {'type': 'Sequence', 'normalizers': [ {'type': 'Prepend', 'prepend': '\u2581'},"
                + " {'type': 'Replace', 'pattern': {'String': ' '}, 'content':"
                + " '\u2581'}]},'decoder': {'type': 'Sequence', 'decoders': [ {'type': 'Replace',"
                + " 'pattern': {'String': '\u2581'}, 'content': ' '}, {'type': 'ByteFallback'},"
                + " {'type': 'Fuse'}, {'type': 'Strip', 'content': ' ', 'start': 1, 'stop':"
                + " 0}]},'model': {'type': 'BPE', 'dropout': null, 'unk_token': '<unk>',"
                + " 'fuse_unk': true, 'byte_fallback': true, 'vocab': {}, 'merges': []}}");
    fillTokens(gguf, root, Integer.MIN_VALUE, BYTE);
    final ArrayNode merges = (ArrayNode) root.at("/model/merges");
    for (Split split : splits(gguf)) {
      merges.add(merges.arrayNode().add(split.left()).add(split.right()));
    }
    return root;
  }

  /** The same with a Metaspace pre-tokenizer in place of the normalizers. */
  static ObjectNode metaspace(TokenizerMetadata gguf, String scheme, boolean splits) {
    final ObjectNode root = sentencePiece(gguf);
    root.putNull("normalizer");
    root.set(
        "pre_tokenizer",
        json("{'type': 'Metaspace', 'replacement': '\u2581'}")
            .put("prepend_scheme", scheme)
            .put("split", splits));
    return root;
  }

  /** JSON with single quotes. */
  static ObjectNode json(String text) {
    try {
      return (ObjectNode) Vocabularies.JSON.readTree(text.replace('\'', '"'));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e);
    }
  }

  private static void fillTokens(
      TokenizerMetadata gguf, ObjectNode root, int typeMin, int typeMax) {
    final List<String> tokens = gguf.strings("tokenizer.ggml.tokens");
    final int[] types = gguf.ints("tokenizer.ggml.token_type");
    final ObjectNode vocab = (ObjectNode) root.at("/model/vocab");
    final ArrayNode added = (ArrayNode) root.get("added_tokens");
    for (int id = 0; id < tokens.size(); id++) {
      if (types[id] >= typeMin && types[id] <= typeMax) vocab.put(tokens.get(id), id);
      if (types[id] == NORMAL || types[id] == BYTE) continue;
      added.add(
          json("{'single_word': false, 'lstrip': false, 'rstrip': false, 'normalized': false}")
              .put("id", id)
              .put("content", tokens.get(id))
              .put("special", types[id] <= CONTROL));
    }
  }

  private static List<Split> splits(TokenizerMetadata gguf) {
    final List<String> tokens = gguf.strings("tokenizer.ggml.tokens");
    final float[] scores = gguf.floats("tokenizer.ggml.scores");
    final int[] types = gguf.ints("tokenizer.ggml.token_type");
    final Map<String, Integer> ids = new HashMap<>();
    for (int id = 0; id < tokens.size(); id++) ids.put(tokens.get(id), id);
    final List<Split> splits = new ArrayList<>();
    for (int id = 0; id < tokens.size(); id++) {
      if (types[id] != NORMAL) continue;
      final String token = tokens.get(id);
      final List<Split> own = new ArrayList<>();
      for (int at = 1; at < token.length(); at++) {
        final String left = token.substring(0, at);
        final String right = token.substring(at);
        if (!ids.containsKey(left) || !ids.containsKey(right)) continue;
        own.add(new Split(left, right, scores[id], ids.get(left), ids.get(right)));
      }
      own.sort(Comparator.comparingInt(Split::leftId).thenComparingInt(Split::rightId));
      splits.addAll(own);
    }
    splits.sort(
        Comparator.comparingDouble(Split::score)
            .thenComparingInt(split -> split.left().codePointCount(0, split.left().length()))
            .thenComparingInt(split -> split.right().codePointCount(0, split.right().length()))
            .reversed());
    return splits;
  }
}
