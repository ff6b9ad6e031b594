package dev.stator.model.file;

import dev.stator.model.ModelFormatException;
import dev.stator.model.text.Tokenizer;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Gathers the tokens that end an answer: those that the model's files name, and the control tokens
 * by which chat models are known to end a turn. Files often name only one of several, and a model
 * that then goes on talks to itself.
 */
final class EndTokens {
  /**
   * Source: the list that {@code llama-vocab.cpp} of llama.cpp keeps, as far as dense chat models
   * use it.
   */
  static final List<String> KNOWN_TEXTS =
      List.of(
          "<|im_end|>",
          "<|eot_id|>",
          "<|eom_id|>",
          "<|end|>",
          "<|endoftext|>",
          "<|end_of_text|>",
          "<end_of_turn>",
          "<|end_of_turn|>",
          "<end_of_utterance>",
          "<EOT>",
          "[EOT]",
          "<eos>",
          "</s>",
          "<｜end▁of▁sentence｜>");

  private final Tokenizer tokenizer;
  private final Set<Integer> ids = new LinkedHashSet<>();

  EndTokens(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
    for (String text : KNOWN_TEXTS) {
      tokenizer.tokenId(text).ifPresent(id -> addIf(tokenizer.isSpecial(id), id));
    }
  }

  private void addIf(boolean condition, int id) {
    if (condition) ids.add(id);
  }

  /**
   * Adds a token that the file names under {@code key}.
   *
   * @throws ModelFormatException when it is not in the vocabulary
   */
  void add(String key, OptionalInt id) {
    if (id.isEmpty()) return;
    if (id.getAsInt() < 0 || id.getAsInt() >= tokenizer.vocabularySize()) {
      throw new ModelFormatException(
          "%s is %d, which is not one of the %d tokens"
              .formatted(key, id.getAsInt(), tokenizer.vocabularySize()));
    }
    ids.add(id.getAsInt());
  }

  Set<Integer> ids() {
    return ids;
  }
}
