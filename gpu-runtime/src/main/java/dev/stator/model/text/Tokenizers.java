package dev.stator.model.text;

import com.fasterxml.jackson.databind.JsonNode;

/** Makes the tokenizer that a model file describes. */
public final class Tokenizers {
  private Tokenizers() {}

  /**
   * The tokenizer of a GGUF file: {@code tokenizer.ggml.model} {@code gpt2} (byte-level BPE) or
   * {@code llama} (SentencePiece).
   *
   * @throws dev.stator.model.ModelFormatException when the description is broken or not supported
   */
  public static Tokenizer fromGguf(TokenizerMetadata metadata) {
    return GgufTokenizers.read(metadata);
  }

  /**
   * The tokenizer of a Hugging Face folder.
   *
   * @param tokenizerJson the content of {@code tokenizer.json}
   * @param tokenizerConfig the content of {@code tokenizer_config.json}, or null where the folder
   *     has none
   * @throws dev.stator.model.ModelFormatException when the description is broken or not supported
   */
  public static Tokenizer fromHuggingFace(JsonNode tokenizerJson, JsonNode tokenizerConfig) {
    return HuggingFaceTokenizers.read(tokenizerJson, tokenizerConfig);
  }
}
