package dev.stator.model.file;

import dev.stator.model.GenerationDefaults;
import dev.stator.model.ModelConfig;
import dev.stator.model.ModelFormatException;
import dev.stator.model.ModelWeights;
import dev.stator.model.text.ChatTemplate;
import dev.stator.model.text.ChatTemplateException;
import dev.stator.model.text.ChatTemplates;
import dev.stator.model.text.Tokenizer;
import java.util.List;

/**
 * What either format's reader finds. Rows of the vocabulary that no token has, which some files are
 * padded with, are left out: nothing could be chosen there.
 *
 * @param chatTemplate {@code null} when the model has none
 * @param tokenizerKind for {@link dev.stator.model.ModelSummary}
 * @param notes for {@link dev.stator.model.ModelSummary}
 */
record ModelParts(
    String format,
    ModelConfig config,
    ModelWeights weights,
    Tokenizer tokenizer,
    String tokenizerKind,
    ChatTemplate chatTemplate,
    GenerationDefaults defaults,
    List<String> notes) {

  ModelParts {
    if (tokenizer.vocabularySize() > config.vocabularySize()) {
      throw new ModelFormatException(
          "the tokenizer has %d tokens, the model only %d"
              .formatted(tokenizer.vocabularySize(), config.vocabularySize()));
    }
    config = config.withVocabularySize(tokenizer.vocabularySize());
    weights = weights.withVocabularySize(tokenizer.vocabularySize());
  }

  static ModelParts of(String format, ModelShape shape, ModelWeights weights, ModelText text) {
    return new ModelParts(
        format,
        shape.config(),
        weights,
        text.tokenizer(),
        text.tokenizerKind(),
        text.chatTemplate(),
        text.defaults(),
        shape.notes());
  }

  /**
   * @param source {@code null} or blank gives {@code null}
   */
  static ChatTemplate compileTemplate(String source, String bosToken, String eosToken) {
    if (source == null || source.isBlank()) return null;
    try {
      return ChatTemplates.compile(source, bosToken, eosToken);
    } catch (ChatTemplateException e) {
      throw new ModelFormatException(
          "the chat template cannot be used: " + Messages.oneLine(String.valueOf(e.getMessage())),
          e);
    }
  }
}
