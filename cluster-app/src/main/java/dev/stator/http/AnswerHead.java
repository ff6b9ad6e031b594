package dev.stator.http;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.stator.request.GenerationEvent.Usage;
import java.io.IOException;

/**
 * What an answer and each chunk of it begin with.
 *
 * @param id such as {@code chatcmpl-…}
 * @param created seconds since 1970
 * @param choiceCount answers to all prompts together
 * @param includeUsage whether a stream ends with a chunk of token counts
 */
record AnswerHead(String id, long created, String model, int choiceCount, boolean includeUsage) {
  /** Writes the fields before {@code choices}. */
  void write(JsonGenerator json, String object) throws IOException {
    json.writeStringField("id", id);
    json.writeStringField("object", object);
    json.writeNumberField("created", created);
    json.writeStringField("model", model);
  }

  static void writeUsage(JsonGenerator json, Usage usage) throws IOException {
    json.writeObjectFieldStart("usage");
    json.writeNumberField("prompt_tokens", usage.promptTokens());
    json.writeNumberField("completion_tokens", usage.completionTokens());
    json.writeNumberField("total_tokens", usage.promptTokens() + usage.completionTokens());
    json.writeObjectFieldStart("prompt_tokens_details");
    json.writeNumberField("cached_tokens", usage.cachedTokens());
    json.writeEndObject();
    json.writeEndObject();
  }
}
