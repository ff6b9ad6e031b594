package dev.stator.model.file;

import dev.stator.model.GenerationDefaults;
import dev.stator.model.text.ChatTemplate;
import dev.stator.model.text.Tokenizer;

/**
 * All that a front end needs to know of a model whose weights are elsewhere.
 *
 * @param name the name clients use
 * @param contextLength prompt and answer tokens together at most
 * @param chatTemplate {@code null} when the model has none
 */
public record ModelCard(
    String name,
    int contextLength,
    Tokenizer tokenizer,
    ChatTemplate chatTemplate,
    GenerationDefaults defaults) {}
