package dev.stator.model;

import dev.stator.model.text.ChatTemplate;
import dev.stator.model.text.Tokenizer;
import java.lang.foreign.Arena;

/**
 * A model that has been opened and checked: shape, weights (memory-mapped), tokenizer and chat
 * template.
 *
 * <p>Any thread may read it. Closing it unmaps the weights; nobody may touch them afterwards.
 *
 * @param name the name it is served under unless the user gives another
 * @param source the file or folder, for messages
 * @param format {@code gguf} or {@code safetensors}
 * @param weightBytes bytes of all weights in the file
 * @param tokenizer has {@link ModelConfig#vocabularySize} tokens
 * @param chatTemplate {@code null} when the model has none
 * @param arena owns the mappings
 */
public record LoadedModel(
    String name,
    String source,
    String format,
    ModelConfig config,
    ModelWeights weights,
    long weightBytes,
    Tokenizer tokenizer,
    ChatTemplate chatTemplate,
    GenerationDefaults defaults,
    Arena arena)
    implements AutoCloseable {
  @Override
  public void close() {
    arena.close();
  }
}
