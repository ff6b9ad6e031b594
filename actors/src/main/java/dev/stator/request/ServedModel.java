package dev.stator.request;

import dev.stator.model.GenerationDefaults;
import dev.stator.model.text.ChatTemplate;
import dev.stator.model.text.Tokenizer;

/**
 * What the front end knows of a model that the cluster serves.
 *
 * @param name the name clients use
 * @param created seconds since 1970
 * @param contextLength prompt and answer tokens together at most
 * @param chatTemplate {@code null} when the model has none
 */
public record ServedModel(
    String name,
    long created,
    int contextLength,
    Tokenizer tokenizer,
    ChatTemplate chatTemplate,
    GenerationDefaults defaults) {}
