package dev.stator.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Checks a conversation and brings it into the form that models' templates expect: content is one
 * string, arguments of tool calls are objects, the role {@code developer} is {@code system}. Other
 * fields, and the order of all, stay as they came.
 */
final class MessageParser {
  private static final Set<String> ROLES =
      Set.of("system", "developer", "user", "assistant", "tool");

  private final JsonBodies bodies;
  private final RequestLimits limits;

  MessageParser(JsonBodies bodies, RequestLimits limits) {
    this.bodies = bodies;
    this.limits = limits;
  }

  List<JsonNode> parse(JsonFields request) {
    ArrayNode messages = request.array("messages", limits.messagesMax());
    if (messages == null) throw new ApiException(ApiError.missing("messages"));
    if (messages.isEmpty()) {
      throw new ApiException(
          ApiError.invalid(
              "empty_array", "messages", "'messages' must have at least one message."));
    }
    List<JsonNode> parsed = new ArrayList<>(messages.size());
    for (int index = 0; index < messages.size(); index++) {
      parsed.add(message(JsonFields.of(messages.get(index), "messages[" + index + "]")));
    }
    return parsed;
  }

  private ObjectNode message(JsonFields fields) {
    String role = fields.requiredText("role");
    if (!ROLES.contains(role)) {
      String expected = "one of system, developer, user, assistant, tool";
      throw new ApiException(ApiError.wrongValue(fields.path("role"), expected, role));
    }
    ObjectNode message = fields.node().deepCopy();
    message.put("role", role.equals("developer") ? "system" : role);
    fields.text("name");
    if (role.equals("tool")) fields.requiredText("tool_call_id");
    boolean callsTools = role.equals("assistant") && fields.has("tool_calls");
    if (callsTools) message.set("tool_calls", toolCalls(fields, message));
    content(fields, message, callsTools);
    return message;
  }

  private static void content(JsonFields fields, ObjectNode message, boolean mayBeAbsent) {
    JsonNode content = fields.get("content");
    if (content == null) {
      if (!mayBeAbsent) throw new ApiException(ApiError.missing(fields.path("content")));
      message.put("content", "");
    } else if (content instanceof ArrayNode parts) {
      message.put("content", joined(parts, fields.path("content")));
    } else if (!content.isTextual()) {
      throw new ApiException(
          ApiError.wrongType(fields.path("content"), "a string or an array of parts", content));
    }
  }

  /** Parts are lines of their own, as other servers of open models have it. */
  private static String joined(ArrayNode parts, String path) {
    if (parts.isEmpty()) {
      throw new ApiException(
          ApiError.invalid("empty_array", path, "'" + path + "' must have at least one part."));
    }
    List<String> texts = new ArrayList<>(parts.size());
    for (int index = 0; index < parts.size(); index++) {
      JsonFields part = JsonFields.of(parts.get(index), path + "[" + index + "]");
      String type = part.requiredText("type");
      if (!type.equals("text")) {
        throw new ApiException(
            ApiError.unsupported(
                part.path("type"),
                "'%s' must be text: this model reads no %s."
                    .formatted(part.path("type"), other(type))));
      }
      texts.add(part.requiredText("text"));
    }
    return String.join("\n", texts);
  }

  private static String other(String type) {
    return switch (type) {
      case "image_url", "input_image", "image" -> "images";
      case "input_audio", "audio" -> "audio";
      case "file", "input_file" -> "files";
      default -> "parts of another type";
    };
  }

  private ArrayNode toolCalls(JsonFields fields, ObjectNode message) {
    ArrayNode calls = fields.array("tool_calls", limits.toolsMax());
    ArrayNode parsed = message.arrayNode(calls.size());
    for (int index = 0; index < calls.size(); index++) {
      String path = fields.path("tool_calls[" + index + "]");
      parsed.add(toolCall(JsonFields.of(calls.get(index), path)));
    }
    return parsed;
  }

  private ObjectNode toolCall(JsonFields call) {
    call.requiredText("id");
    if (!call.text("type").orElse("function").equals("function")) {
      throw new ApiException(
          ApiError.wrongValue(call.path("type"), "'function'", call.text("type").orElse("")));
    }
    JsonFields function =
        call.object("function")
            .orElseThrow(() -> new ApiException(ApiError.missing(call.path("function"))));
    function.requiredText("name");
    ObjectNode parsed = call.node().deepCopy();
    ((ObjectNode) parsed.get("function")).set("arguments", arguments(function));
    return parsed;
  }

  private JsonNode arguments(JsonFields function) {
    String path = function.path("arguments");
    JsonNode arguments = function.get("arguments");
    if (arguments == null) return function.node().objectNode();
    if (arguments.isObject()) return arguments;
    if (!arguments.isTextual()) {
      throw new ApiException(ApiError.wrongType(path, "a string of JSON", arguments));
    }
    String text = arguments.textValue();
    return text.isBlank() ? function.node().objectNode() : bodies.parse(text, path);
  }
}
