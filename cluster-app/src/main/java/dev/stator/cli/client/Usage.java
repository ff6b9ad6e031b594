package dev.stator.cli.client;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * Tokens as the server counts them.
 *
 * @param cachedTokens prompt tokens that the server did not compute again; 0 when it does not say
 */
public record Usage(int promptTokens, int completionTokens, int cachedTokens) {
  /** Reads an OpenAI {@code usage} object; {@code null} when there is none. */
  static Usage from(JsonNode usage) {
    if (!usage.isObject()) return null;
    return new Usage(
        usage.path("prompt_tokens").asInt(),
        usage.path("completion_tokens").asInt(),
        usage.path("prompt_tokens_details").path("cached_tokens").asInt());
  }
}
