package dev.stator.http;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.stator.protocol.Placement.Candidate;
import dev.stator.request.GenerationEvent.Placed;
import java.io.IOException;
import java.util.List;

/** Where choices ran and why, for answers to requests with {@code include_placements}. */
final class PlacementWriter {
  private PlacementWriter() {}

  /** Writes the field {@code placements}, unless there are none. */
  static void write(JsonGenerator json, List<Placed> placements) throws IOException {
    if (placements.isEmpty()) return;
    json.writeArrayFieldStart("placements");
    for (Placed placed : placements) write(json, placed);
    json.writeEndArray();
  }

  /** Writes a stream's chunk that has no choices, but the field {@code placement}. */
  static void writeChunk(JsonGenerator json, AnswerHead head, String object, Placed placed)
      throws IOException {
    json.writeStartObject();
    head.write(json, object);
    json.writeArrayFieldStart("choices");
    json.writeEndArray();
    json.writeFieldName("placement");
    write(json, placed);
    json.writeEndObject();
  }

  private static void write(JsonGenerator json, Placed placed) throws IOException {
    json.writeStartObject();
    json.writeNumberField("index", placed.choiceIndex());
    json.writeNumberField("attempt", placed.attempt());
    json.writeStringField("decode", placed.worker());
    json.writeNumberField("cached_blocks", placed.cachedBlocks());
    json.writeStringField("prefill", placed.prefiller());
    json.writeBooleanField("pull", placed.pulls());
    json.writeStringField("reason", placed.reason());
    json.writeArrayFieldStart("candidates");
    for (Candidate candidate : placed.candidates()) write(json, candidate);
    json.writeEndArray();
    json.writeEndObject();
  }

  private static void write(JsonGenerator json, Candidate candidate) throws IOException {
    json.writeStartObject();
    json.writeStringField("decode", candidate.worker().slot());
    json.writeNumberField("cost", candidate.cost());
    json.writeNumberField("cached_blocks", candidate.overlapBlocks());
    json.writeNumberField("pull_blocks", candidate.pullBlocks());
    json.writeNumberField("prefill_tokens", candidate.prefillTokens());
    json.writeNumberField("blocks", candidate.decodeBlocks());
    json.writeEndObject();
  }
}
