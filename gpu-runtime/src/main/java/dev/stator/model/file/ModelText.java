package dev.stator.model.file;

import dev.stator.model.GenerationDefaults;
import dev.stator.model.text.ChatTemplate;
import dev.stator.model.text.Tokenizer;

/**
 * What a model's files say of text: enough for a front end, which has no weights.
 *
 * @param tokenizerKind for {@link dev.stator.model.ModelSummary}
 * @param chatTemplate {@code null} when the model has none
 */
record ModelText(
    Tokenizer tokenizer,
    String tokenizerKind,
    ChatTemplate chatTemplate,
    GenerationDefaults defaults) {}
