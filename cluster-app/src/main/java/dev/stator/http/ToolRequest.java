package dev.stator.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The tools that an answer may call, and whether it must.
 *
 * @param tools what the model sees; empty when none may be called
 * @param mustCall whether the answer has to be a call
 * @param forcedName the one tool to call; empty for any
 * @param parallel whether an answer may have more than one call
 */
record ToolRequest(
    List<JsonNode> tools, boolean mustCall, Optional<String> forcedName, boolean parallel) {
  static final ToolRequest NONE = new ToolRequest(List.of(), false, Optional.empty(), true);

  private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9_.-]{1,64}");

  ToolRequest {
    tools = List.copyOf(tools);
  }

  static ToolRequest parse(JsonFields request, RequestLimits limits) {
    rejectFunctions(request);
    boolean parallel = request.flag("parallel_tool_calls", true);
    List<JsonNode> tools = new ArrayList<>();
    Set<String> names = new HashSet<>();
    ArrayNode array = request.array("tools", limits.toolsMax());
    for (int index = 0; array != null && index < array.size(); index++) {
      JsonFields tool = JsonFields.of(array.get(index), "tools[" + index + "]");
      String name = check(tool);
      if (!names.add(name)) {
        String path = tool.path("function.name");
        throw new ApiException(ApiError.wrongValue(path, "different for each tool", name));
      }
      tools.add(tool.node());
    }
    return choose(request, tools, names, parallel);
  }

  private static ToolRequest choose(
      JsonFields request, List<JsonNode> tools, Set<String> names, boolean parallel) {
    JsonNode choice = request.get("tool_choice");
    if (choice == null) return new ToolRequest(tools, false, Optional.empty(), parallel);
    if (choice.isObject()) {
      String name = named(JsonFields.of(choice, "tool_choice"), names);
      return new ToolRequest(tools, true, Optional.of(name), parallel);
    }
    if (!choice.isTextual()) {
      throw new ApiException(ApiError.wrongType("tool_choice", "a string or an object", choice));
    }
    return switch (choice.textValue()) {
      case "none" -> NONE;
      case "auto" -> new ToolRequest(tools, false, Optional.empty(), parallel);
      case "required" -> {
        if (tools.isEmpty()) throw new ApiException(ApiError.missing("tools"));
        yield new ToolRequest(tools, true, Optional.empty(), parallel);
      }
      default ->
          throw new ApiException(
              ApiError.wrongValue(
                  "tool_choice", "none, auto, required or a function", choice.textValue()));
    };
  }

  private static String named(JsonFields choice, Set<String> names) {
    checkType(choice);
    JsonFields function = function(choice);
    String name = function.requiredText("name");
    if (names.contains(name)) return name;
    throw new ApiException(
        ApiError.wrongValue(function.path("name"), "the name of one of 'tools'", name));
  }

  private static String check(JsonFields tool) {
    checkType(tool);
    JsonFields function = function(tool);
    String name = function.requiredText("name");
    if (!NAME.matcher(name).matches()) {
      String expected = "1 to 64 letters, digits, '_', '-' or '.'";
      throw new ApiException(ApiError.wrongValue(function.path("name"), expected, name));
    }
    function.text("description");
    function.object("parameters");
    function.flag("strict", false);
    return name;
  }

  private static void checkType(JsonFields fields) {
    String type = fields.requiredText("type");
    if (type.equals("function")) return;
    throw new ApiException(ApiError.wrongValue(fields.path("type"), "'function'", type));
  }

  private static JsonFields function(JsonFields fields) {
    return fields
        .object("function")
        .orElseThrow(() -> new ApiException(ApiError.missing(fields.path("function"))));
  }

  private static void rejectFunctions(JsonFields request) {
    for (String name : List.of("functions", "function_call")) {
      if (!request.has(name)) continue;
      throw new ApiException(
          ApiError.unsupported(
              name, "'%s' is deprecated and not supported; use 'tools'.".formatted(name)));
    }
  }
}
