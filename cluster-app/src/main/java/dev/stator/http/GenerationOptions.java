package dev.stator.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * What both APIs share besides sampling.
 *
 * @param includeUsage whether a stream ends with a chunk of token counts
 * @param choiceCount OpenAI's {@code n}
 * @param showsSpecialTokens whether answers have the model's special tokens in their text
 * @param includePlacements whether answers tell which workers they came from
 * @param form what answers must look like
 */
record GenerationOptions(
    boolean stream,
    boolean includeUsage,
    int choiceCount,
    List<String> stopStrings,
    String cacheSalt,
    boolean showsSpecialTokens,
    boolean includePlacements,
    AnswerForm form) {
  private static final int CACHE_SALT_CHARACTERS_MAX = 256;

  /** Known to OpenAI's or vLLM's API and without meaning here. */
  private static final Set<String> WITHOUT_MEANING =
      Set.of("metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key");

  /** Would change the answer's form, so ignoring them would be a lie. */
  private static final List<String> NOT_SUPPORTED = List.of("prompt_logprobs");

  private static final List<String> NOT_SUPPORTED_FLAGS =
      List.of("use_beam_search", "include_stop_str_in_output");

  GenerationOptions {
    stopStrings = List.copyOf(stopStrings);
  }

  static GenerationOptions parse(JsonFields fields, RequestLimits limits) {
    boolean stream = fields.flag("stream", false);
    fields.text("user");
    fields.ignore(WITHOUT_MEANING);
    rejectUnsupported(fields);
    return new GenerationOptions(
        stream,
        includeUsage(fields, stream),
        fields.integer("n", 1, limits.choicesMax()).orElse(1),
        stopStrings(fields, limits),
        cacheSalt(fields),
        !fields.flag("skip_special_tokens", true),
        fields.flag("include_placements", false),
        AnswerForm.parse(fields));
  }

  private static void rejectUnsupported(JsonFields fields) {
    for (String name : NOT_SUPPORTED) {
      if (fields.has(name)) throw notSupported(fields.path(name));
    }
    for (String name : NOT_SUPPORTED_FLAGS) {
      if (fields.flag(name, false)) throw notSupported(fields.path(name));
    }
  }

  private static ApiException notSupported(String path) {
    return new ApiException(ApiError.unsupported(path, "'%s' is not supported.".formatted(path)));
  }

  private static boolean includeUsage(JsonFields fields, boolean stream) {
    JsonFields options = fields.object("stream_options").orElse(null);
    if (options == null) return false;
    if (!stream) {
      throw new ApiException(
          ApiError.invalid(
              "invalid_value",
              "stream_options",
              "'stream_options' is only allowed when 'stream' is true."));
    }
    return options.flag("include_usage", false);
  }

  private static List<String> stopStrings(JsonFields fields, RequestLimits limits) {
    JsonNode stop = fields.get("stop");
    if (stop == null) return List.of();
    String path = fields.path("stop");
    if (stop.isTextual()) return List.of(stopString(stop, path, limits));
    if (!(stop instanceof ArrayNode array)) {
      throw new ApiException(ApiError.wrongType(path, "a string or an array of strings", stop));
    }
    JsonFields.checkLength(array, path, limits.stopStringsMax());
    List<String> parsed = new ArrayList<>(array.size());
    for (int index = 0; index < array.size(); index++) {
      parsed.add(stopString(array.get(index), path + "[" + index + "]", limits));
    }
    return parsed;
  }

  private static String stopString(JsonNode node, String path, RequestLimits limits) {
    if (!node.isTextual()) throw new ApiException(ApiError.wrongType(path, "a string", node));
    String text = node.textValue();
    int lengthMax = limits.stopStringCharactersMax();
    if (!text.isEmpty() && text.length() <= lengthMax) return text;
    String expected = "a string of 1 to " + lengthMax + " characters";
    throw new ApiException(ApiError.wrongValue(path, expected, text));
  }

  private static String cacheSalt(JsonFields fields) {
    String salt = fields.text("cache_salt").orElse("");
    if (salt.length() <= CACHE_SALT_CHARACTERS_MAX) return salt;
    String expected = "at most " + CACHE_SALT_CHARACTERS_MAX + " characters";
    throw new ApiException(ApiError.wrongValue(fields.path("cache_salt"), expected, salt));
  }
}
