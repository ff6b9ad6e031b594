package dev.stator.http.tools;

import dev.stator.model.text.Tokenizer;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * How a model writes its tool calls.
 *
 * <p>What the caller does, when a request has tools:
 *
 * <ol>
 *   <li>takes {@link #of} of the model's chat template; where that is empty, answers are plain
 *       text;
 *   <li>decodes with {@code skipSpecial = !format.needsSpecialText(tokenizer)}, because {@code
 *       <|python_tag|>}, {@code [TOOL_CALLS]} and {@code [ARGS]} are special tokens in their
 *       models' vocabularies, and leaves out the token that ended the answer;
 *   <li>gives each choice a {@link #parser} of its own, and its ids: {@link ToolCallIds};
 *   <li>ends a choice that has started a call with {@code tool_calls} where it would have been
 *       {@code stop}.
 * </ol>
 */
public enum ToolCallFormat {
  /**
   * Hermes, Qwen 2.5, Qwen 3: {@code <tool_call>{"name": "f", "arguments": {...}}</tool_call>},
   * anywhere in the answer.
   */
  HERMES(List.of("<tool_call>", "</tool_call>")) {
    @Override
    public ToolCallParser parser(Set<String> toolNames, Supplier<String> ids) {
      return new HermesParser(toolNames, ids);
    }
  },
  /**
   * Llama 3.1 and later: the answer is {@code {"name": "f", "parameters": {...}}}, or such an
   * object follows {@code <|python_tag|>}; several are separated by semicolons.
   */
  LLAMA_JSON(List.of("<|python_tag|>")) {
    @Override
    public ToolCallParser parser(Set<String> toolNames, Supplier<String> ids) {
      return new LlamaJsonParser(toolNames, ids);
    }
  },
  /**
   * Mistral: {@code [TOOL_CALLS][{"name": "f", "arguments": {...}}, ...]}, or since 2025 {@code
   * [TOOL_CALLS]f[ARGS]{...}} once for each call.
   */
  MISTRAL(List.of("[TOOL_CALLS]", "[ARGS]", "[CALL_ID]")) {
    @Override
    public ToolCallParser parser(Set<String> toolNames, Supplier<String> ids) {
      return new MistralParser(toolNames, ids);
    }
  };

  private final List<String> markers;

  ToolCallFormat(List<String> markers) {
    this.markers = markers;
  }

  /**
   * The format that a chat template teaches, or empty where it is none of these.
   *
   * @param templateSource see {@link dev.stator.model.text.ChatTemplate#source()}
   */
  public static Optional<ToolCallFormat> of(String templateSource) {
    if (templateSource.contains("[TOOL_CALLS]")) {
      return Optional.of(MISTRAL);
    }
    if (templateSource.contains(
        "<tool_call>")) { // With <function=name> inside it is another format.
      return templateSource.contains("<function=") ? Optional.empty() : Optional.of(HERMES);
    }
    final boolean llama =
        templateSource.contains("<|python_tag|>")
            || templateSource.contains("Environment: ipython");
    return llama ? Optional.of(LLAMA_JSON) : Optional.empty();
  }

  /** Whether a text without its special tokens would lack this format's marks. */
  public boolean needsSpecialText(Tokenizer tokenizer) {
    return markers.stream()
        .map(tokenizer::tokenId)
        .anyMatch(id -> id.isPresent() && tokenizer.isSpecial(id.getAsInt()));
  }

  /**
   * A parser for one choice's text.
   *
   * @param toolNames what the request lets the model call; a call of anything else is text
   * @param ids an id for each call
   */
  public abstract ToolCallParser parser(Set<String> toolNames, Supplier<String> ids);
}
