package dev.stator.model.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;

/** A model's own chat template. Immutable: any number of threads may use one. */
public interface ChatTemplate {
  /** The template's source, as the model carries it. */
  String source();

  /**
   * The prompt text of a conversation.
   *
   * @param messages OpenAI-shaped message objects; field order is kept where the template prints
   *     JSON
   * @param tools OpenAI-shaped tool objects; empty for none
   * @param addGenerationPrompt whether the prompt ends where the assistant's answer begins
   * @param variables further template variables ({@code chat_template_kwargs})
   * @throws ChatTemplateException when the template rejects the conversation or exceeds its limits
   */
  String render(
      List<JsonNode> messages,
      List<JsonNode> tools,
      boolean addGenerationPrompt,
      Map<String, JsonNode> variables);
}
