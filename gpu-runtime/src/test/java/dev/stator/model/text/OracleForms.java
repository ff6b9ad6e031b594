package dev.stator.model.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** The tokenizer.json forms whose ids Hugging Face's own tokenizers have been asked for. */
final class OracleForms {
  private static final List<String> PUNCTUATION_BEHAVIORS =
      List.of("MergedWithPrevious", "MergedWithNext", "Contiguous");

  /** Expressions that no family has: the JDK's engine has to read them as Oniguruma does. */
  private static final List<String> EXPRESSIONS =
      List.of(
          "\\s+$",
          "^\\w+|.+$",
          "\\p{Han}+|[\\p{L}&&[^\\p{Han}]]+|\\d{1,2}(?=(?:\\d{2})*\\b)",
          "(?i:the|'S)|[[a-f][x-z]]+",
          "\\p{L}++|\\p{P}*+ ",
          "\\b\\w",
          "(?<=a)b|(?<!\\s)\\s|(?<=\\p{L})\\p{N}",
          "[^\\p{L}\\W]+",
          "\\p{Hiragana}|\\p{Katakana}+|\\p{Hangul}+|\\p{Cyrillic}+|\\p{Greek}|\\p{Arabic}",
          "\\B",
          "\\p{Alpha}+|\\p{Punct}|\\p{Lower}|\\p{Upper}",
          "(?=(\\d{3})+(?!\\d))",
          "[\\w-]+|[a-c-]");

  private OracleForms() {}

  /** The form that a real vocabulary's model has on Hugging Face. */
  static ObjectNode ofReal(String name) {
    final TokenizerMetadata gguf = Vocabularies.real(name);
    return switch (name) {
      case "llama-bpe" -> HuggingFaceForms.byteLevel(gguf, PreTokenizers.LLAMA3, true);
      case "qwen2" -> HuggingFaceForms.byteLevel(gguf, PreTokenizers.QWEN2, false);
      case "llama-spm" -> HuggingFaceForms.sentencePiece(gguf);
      default -> throw new IllegalArgumentException(name);
    };
  }

  /** Forms of the bundled vocabulary: every pre-tokenizer and every way to find added tokens. */
  static Map<String, Supplier<ObjectNode>> ofTiny() {
    final TokenizerMetadata tiny = Vocabularies.tiny();
    final Map<String, Supplier<ObjectNode>> forms = new LinkedHashMap<>();
    Map.of(
            "gpt2", PreTokenizers.GPT2,
            "llama3", PreTokenizers.LLAMA3,
            "qwen2", PreTokenizers.QWEN2,
            "qwen35", PreTokenizers.QWEN35,
            "tekken", PreTokenizers.TEKKEN,
            "o200k", PreTokenizers.O200K)
        .forEach((name, regex) ->
            forms.put(name, () -> HuggingFaceForms.byteLevel(tiny, regex, name.equals("tekken"))));
    forms.put("deepseek-llm", () -> chain(tiny, PreTokenizers.DEEPSEEK_LLM));
    forms.put("deepseek-coder", () -> chain(tiny, PreTokenizers.DEEPSEEK_CODER));
    forms.put("deepseek-v3", () -> chain(tiny, PreTokenizers.DEEPSEEK_V3));
    forms.put("starcoder", () -> chain(tiny, PreTokenizers.STARCODER));
    for (String behavior : PUNCTUATION_BEHAVIORS)
      forms.put("split-" + behavior, () -> splitting(tiny, behavior));
    forms.put("added", () -> withAddedTokens(tiny));
    forms.put("added-nfc", () -> normalized(withAddedTokens(tiny), "NFC"));
    forms.put(
        "nfkd",
        () -> normalized(HuggingFaceForms.byteLevel(tiny, PreTokenizers.QWEN2, false), "NFKD"));
    for (int i = 0; i < EXPRESSIONS.size(); i++) {
      final String expression = EXPRESSIONS.get(i);
      forms.put("expression-" + i, () -> HuggingFaceForms.byteLevel(tiny, expression, false));
    }
    return forms;
  }

  /** Forms of the vocabularies beside the repository. */
  static Map<String, Supplier<ObjectNode>> ofShared() {
    final Map<String, Supplier<ObjectNode>> forms = new LinkedHashMap<>();
    forms.put("real-llama3", () -> ofReal("llama-bpe"));
    forms.put("real-qwen2", () -> ofReal("qwen2"));
    forms.put("real-llama2", () -> ofReal("llama-spm"));
    forms.put(
        "real-metaspace",
        () -> HuggingFaceForms.metaspace(Vocabularies.real("llama-spm"), "first", false));
    forms.put(
        "real-metaspace-words",
        () -> HuggingFaceForms.metaspace(Vocabularies.real("llama-spm"), "always", true));
    forms.put(
        "real-unknown",
        () -> withoutBytes(HuggingFaceForms.sentencePiece(Vocabularies.real("llama-spm"))));
    return forms;
  }

  private static ObjectNode chain(TokenizerMetadata gguf, List<String> expressions) {
    return HuggingFaceForms.byteLevel(
        gguf, expressions.stream().map(HuggingFaceForms::split).toList(), false);
  }

  private static ObjectNode splitting(TokenizerMetadata gguf, String behavior) {
    final ObjectNode split = HuggingFaceForms.split("[\\p{P} ]+|\\p{Lu}").put("behavior", behavior);
    final ObjectNode digits =
        HuggingFaceForms.json("{'type': 'Digits', 'individual_digits': true}");
    return HuggingFaceForms.byteLevel(gguf, List.of(split, digits), false);
  }

  private static ObjectNode withAddedTokens(TokenizerMetadata gguf) {
    final ObjectNode root = HuggingFaceForms.byteLevel(gguf, PreTokenizers.QWEN2, false);
    add(root, "world", "single_word");
    add(root, "the", "single_word", "lstrip", "normalized");
    add(root, "Hello", "lstrip");
    add(root, "<s>", "lstrip", "normalized");
    add(root, "</s>", "rstrip");
    add(root, "e\u0301", "normalized");
    add(root, "!!!", "rstrip", "normalized");
    add(root, "!!!!!");
    return root;
  }

  private static void add(ObjectNode root, String content, String... flags) {
    final ArrayNode added = (ArrayNode) root.get("added_tokens");
    final ObjectNode token =
        HuggingFaceForms.json(
            "{'single_word': false, 'lstrip': false, 'rstrip': false, 'normalized': false,"
                + " 'special': false}");
    for (String flag : flags) token.put(flag, true);
    final int known = root.at("/model/vocab").path(content).asInt(-1);
    int next = 0;
    for (JsonNode id : root.at("/model/vocab")) next = Math.max(next, id.intValue() + 1);
    for (JsonNode other : added) next = Math.max(next, other.get("id").intValue() + 1);
    added.add(token.put("content", content).put("id", known >= 0 ? known : next));
  }

  private static ObjectNode normalized(ObjectNode root, String form) {
    root.set("normalizer", HuggingFaceForms.json("{'type': '%s'}".formatted(form)));
    return root;
  }

  private static ObjectNode withoutBytes(ObjectNode root) {
    ((ObjectNode) root.get("model")).put("byte_fallback", false);
    return root;
  }
}
