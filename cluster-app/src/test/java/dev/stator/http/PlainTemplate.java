package dev.stator.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.model.text.ChatTemplate;
import dev.stator.model.text.ChatTemplateException;
import java.util.List;
import java.util.Map;

/** Messages between markers; tools and tool calls as JSON; refuses a first message of a tool. */
final class PlainTemplate implements ChatTemplate {
  private final String source;

  /**
   * @param source what it claims to be made of, for those who look for forms of tool calls in it
   */
  PlainTemplate(String source) {
    this.source = source;
  }

  @Override
  public String source() {
    return source;
  }

  @Override
  public String render(
      List<JsonNode> messages,
      List<JsonNode> tools,
      boolean addGenerationPrompt,
      Map<String, JsonNode> variables) {
    if (messages.getFirst().path("role").asText().equals("tool")) {
      throw new ChatTemplateException("A conversation cannot begin with a tool's answer.");
    }
    StringBuilder text = new StringBuilder();
    if (!tools.isEmpty()) text.append("tools ").append(tools).append('\n');
    if (!variables.isEmpty()) text.append("variables ").append(variables).append('\n');
    for (JsonNode message : messages) {
      text.append("<|im_start|>").append(message.path("role").asText()).append('\n');
      text.append(message.path("content").asText());
      if (message.has("tool_calls")) text.append(message.path("tool_calls"));
      text.append("<|im_end|>\n");
    }
    if (addGenerationPrompt) text.append("<|im_start|>assistant\n");
    return text.toString();
  }
}
