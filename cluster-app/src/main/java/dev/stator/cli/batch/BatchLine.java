package dev.stator.cli.batch;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stator.cli.client.OpenAiClient;

/** One line of a batch file, understood. */
sealed interface BatchLine {
  /**
   * OpenAI's batch form: {@code {"custom_id": .., "url": "/v1/chat/completions", "body": {..}}}.
   *
   * @param customId {@code null} when the line has none
   */
  record OpenAi(String customId, String path, ObjectNode body) implements BatchLine {}

  /** The short form: {@code {"text": prompt}}, one user message. */
  record Text(String text) implements BatchLine {}

  /**
   * A line that cannot be sent.
   *
   * @param problem for the user
   */
  record Wrong(String customId, String problem) implements BatchLine {}

  /** Never throws: what is wrong with a line becomes its result. */
  static BatchLine parse(ObjectMapper json, String line) {
    final JsonNode node;
    try {
      node = json.readTree(line);
    } catch (JsonProcessingException wrong) {
      return new Wrong(null, "not JSON: " + wrong.getOriginalMessage());
    }
    if (!node.isObject()) return new Wrong(null, "not a JSON object");
    final String customId = node.hasNonNull("custom_id") ? node.get("custom_id").asText() : null;
    if (node.path("text").isTextual()) return new Text(node.get("text").asText());
    if (!(node.path("body") instanceof ObjectNode body)) {
      return new Wrong(customId, "neither \"body\" (OpenAI's batch form) nor \"text\"");
    }
    final String path = node.path("url").asText(OpenAiClient.CHAT_PATH);
    if (!path.equals(OpenAiClient.CHAT_PATH) && !path.equals(OpenAiClient.COMPLETIONS_PATH)) {
      return new Wrong(
          customId,
          "\"url\" must be %s or %s: '%s'"
              .formatted(OpenAiClient.CHAT_PATH, OpenAiClient.COMPLETIONS_PATH, path));
    }
    return new OpenAi(customId, path, body);
  }

  /** The body of a chat that says {@code text}. */
  static ObjectNode chatBody(String text) {
    final ObjectNode body = JsonNodeFactory.instance.objectNode();
    body.putArray("messages").addObject().put("role", "user").put("content", text);
    return body;
  }
}
