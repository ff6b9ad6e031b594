package dev.stator.http;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a chat template makes a prompt of.
 *
 * @param messages at least one, checked
 * @param addGenerationPrompt whether the prompt ends where the assistant's answer begins
 * @param continueFinalMessage whether the answer goes on with the last message's text
 * @param templateVariables {@code chat_template_kwargs}
 */
record Conversation(
    List<JsonNode> messages,
    ToolRequest tools,
    boolean addGenerationPrompt,
    boolean continueFinalMessage,
    Map<String, JsonNode> templateVariables) {
  Conversation {
    messages = List.copyOf(messages);
    templateVariables = Map.copyOf(templateVariables);
  }

  static Conversation parse(JsonFields request, MessageParser parser, RequestLimits limits) {
    boolean continues = request.flag("continue_final_message", false);
    boolean addsPrompt = request.flag("add_generation_prompt", !continues);
    if (continues && addsPrompt) {
      throw new ApiException(
          ApiError.invalid(
              "invalid_value",
              "continue_final_message",
              "'continue_final_message' and 'add_generation_prompt' exclude each other."));
    }
    Map<String, JsonNode> variables = new HashMap<>();
    request
        .object("chat_template_kwargs")
        .ifPresent(kwargs ->
            kwargs
                .node()
                .properties()
                .forEach(entry -> variables.put(entry.getKey(), entry.getValue())));
    return new Conversation(
        parser.parse(request),
        ToolRequest.parse(request, limits),
        addsPrompt,
        continues,
        variables);
  }
}
