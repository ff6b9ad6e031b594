package dev.stator.http;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;

/** Tool calls in OpenAI's shapes. */
final class ToolCallWriter {
  private ToolCallWriter() {}

  /** The first delta of a call; its arguments follow. */
  static void writeStart(JsonGenerator json, int index, String id, String name) throws IOException {
    json.writeStartObject();
    json.writeNumberField("index", index);
    json.writeStringField("id", id);
    json.writeStringField("type", "function");
    json.writeObjectFieldStart("function");
    json.writeStringField("name", name);
    json.writeStringField("arguments", "");
    json.writeEndObject();
    json.writeEndObject();
  }

  /** A further delta of a call. */
  static void writeArguments(JsonGenerator json, int index, String arguments) throws IOException {
    json.writeStartObject();
    json.writeNumberField("index", index);
    json.writeObjectFieldStart("function");
    json.writeStringField("arguments", arguments);
    json.writeEndObject();
    json.writeEndObject();
  }

  /** A whole call. */
  static void writeWhole(JsonGenerator json, String id, String name, String arguments)
      throws IOException {
    json.writeStartObject();
    json.writeStringField("id", id);
    json.writeStringField("type", "function");
    json.writeObjectFieldStart("function");
    json.writeStringField("name", name);
    json.writeStringField("arguments", arguments);
    json.writeEndObject();
    json.writeEndObject();
  }
}
