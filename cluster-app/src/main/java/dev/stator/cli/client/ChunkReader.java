package dev.stator.cli.client;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.function.Consumer;

/**
 * Reads the lines of an OpenAI event stream.
 *
 * <pre>
 *   ("data: " chunk | ":" comment | "")* "data: [DONE]"
 * </pre>
 *
 * One stream, one thread at a time.
 */
final class ChunkReader {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String DONE = "[DONE]";

  private final Consumer<String> onText;
  private String finishReason = "";
  private Usage usage;
  private boolean done;

  /**
   * @param onText called once a chunk that carries a part of the answer; the text is empty when the
   *     part is not text, such as a tool call's
   */
  ChunkReader(Consumer<String> onText) {
    this.onText = onText;
  }

  /**
   * Takes a line without its end.
   *
   * @throws EndpointException when the line is an error event, or no chunk
   */
  void line(String line) {
    if (!line.startsWith("data:")) return; // Comments keep slow streams alive.
    final String data = line.substring("data:".length()).strip();
    if (data.equals(DONE)) {
      done = true;
    } else {
      chunk(parse(data));
    }
  }

  /**
   * The stream has ended.
   *
   * @throws EndpointException when it ended before the server said so
   */
  Completion end() {
    if (!done) throw new EndpointException("cut off", "the stream ended before [DONE]");
    return new Completion(finishReason, usage);
  }

  private void chunk(JsonNode chunk) {
    if (chunk.hasNonNull("error")) {
      throw new EndpointException("error event", message(chunk));
    }
    final Usage counted = Usage.from(chunk.path("usage"));
    if (counted != null) usage = counted;
    final JsonNode choice = chunk.path("choices").path(0);
    if (choice.hasNonNull("finish_reason")) finishReason = choice.get("finish_reason").asText();
    final JsonNode delta = choice.path("delta");
    final String text =
        choice.path("text").asText("")
            + delta.path("reasoning_content").asText("")
            + delta.path("content").asText("");
    if (!text.isEmpty() || !delta.path("tool_calls").isEmpty()) onText.accept(text);
  }

  /** The message of an OpenAI error body. */
  static String message(JsonNode body) {
    final JsonNode error = body.path("error");
    return error.isTextual() ? error.asText() : error.path("message").asText(body.toString());
  }

  private static JsonNode parse(String data) {
    try {
      return JSON.readTree(data);
    } catch (JsonProcessingException wrong) {
      throw new EndpointException("not understood", "a chunk is not JSON: " + shortened(data));
    }
  }

  private static String shortened(String text) {
    return text.length() <= 100 ? text : text.substring(0, 100) + "...";
  }
}
