package dev.stator.http;

import dev.stator.http.JsonBodies.Body;
import dev.stator.http.tools.Piece;
import dev.stator.http.tools.ToolCallParser;
import dev.stator.request.GenerationEvent.Delta;
import dev.stator.request.GenerationEvent.Finished;
import dev.stator.request.GenerationEvent.Placed;
import dev.stator.request.GenerationEvent.TokenLogprob;
import dev.stator.request.GenerationEvent.Usage;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.apache.pekko.util.ByteString;

/**
 * The stream of {@code POST /v1/chat/completions}: for each choice a chunk with the role, chunks
 * with text or parts of tool calls, a chunk with the reason of its end.
 */
final class ChatChunkWriter implements EventWriter {
  private static final String OBJECT = "chat.completion.chunk";

  /** One choice as far as it has come. */
  private static final class Choice {
    final ToolCallParser parser;
    boolean hasRole;
    boolean hasCalls;

    Choice(ToolCallParser parser) {
      this.parser = parser;
    }
  }

  private final SseBuffer out = new SseBuffer();
  private final AnswerHead head;
  private final List<Choice> choices = new ArrayList<>();

  /**
   * @param parsers one for each choice
   */
  ChatChunkWriter(AnswerHead head, Supplier<ToolCallParser> parsers) {
    this.head = head;
    for (int index = 0; index < head.choiceCount(); index++) choices.add(new Choice(parsers.get()));
  }

  @Override
  public void placed(Placed placed) {
    out.event(json -> PlacementWriter.writeChunk(json, head, OBJECT, placed));
  }

  @Override
  public void delta(Delta delta) {
    List<Piece> pieces = begun(delta.choiceIndex()).parser.add(delta.text());
    pieces(delta.choiceIndex(), pieces, delta.logprobs());
  }

  @Override
  public void finished(Finished finished) {
    int index = finished.choiceIndex();
    Choice choice = begun(index);
    pieces(index, choice.parser.finish(), List.of());
    chunk(index, json -> {}, List.of(), FinishReasons.label(finished.reason(), choice.hasCalls));
  }

  @Override
  public void completed(Usage usage) {
    if (head.includeUsage()) {
      out.event(json -> {
        json.writeStartObject();
        head.write(json, OBJECT);
        json.writeArrayFieldStart("choices");
        json.writeEndArray();
        AnswerHead.writeUsage(json, usage);
        json.writeEndObject();
      });
    }
    out.done();
  }

  @Override
  public void failed(ApiError error) {
    out.event(error::write);
  }

  @Override
  public ByteString take() {
    return out.take();
  }

  private Choice begun(int index) {
    Choice choice = choices.get(index);
    if (choice.hasRole) return choice;
    choice.hasRole = true;
    Body role =
        json -> {
          json.writeStringField("role", "assistant");
          json.writeStringField("content", "");
        };
    chunk(index, role, List.of(), null);
    return choice;
  }

  /**
   * The first piece carries the log-probabilities; without any piece they have a chunk of their
   * own.
   */
  private void pieces(int index, List<Piece> pieces, List<TokenLogprob> logprobs) {
    List<TokenLogprob> unwritten = logprobs;
    for (Piece piece : pieces) {
      choices.get(index).hasCalls |= !(piece instanceof Piece.Content);
      chunk(index, delta(piece), unwritten, null);
      unwritten = List.of();
    }
    if (!unwritten.isEmpty()) chunk(index, json -> {}, unwritten, null);
  }

  private static Body delta(Piece piece) {
    return switch (piece) {
      case Piece.Content(var text) -> json -> json.writeStringField("content", text);
      case Piece.CallStarted(var index, var id, var name) ->
          json -> {
            json.writeArrayFieldStart("tool_calls");
            ToolCallWriter.writeStart(json, index, id, name);
            json.writeEndArray();
          };
      case Piece.ArgumentsDelta(var index, var arguments) ->
          json -> {
            json.writeArrayFieldStart("tool_calls");
            ToolCallWriter.writeArguments(json, index, arguments);
            json.writeEndArray();
          };
    };
  }

  private void chunk(int index, Body delta, List<TokenLogprob> logprobs, String finishReason) {
    out.event(json -> {
      json.writeStartObject();
      head.write(json, OBJECT);
      json.writeArrayFieldStart("choices");
      json.writeStartObject();
      json.writeNumberField("index", index);
      json.writeObjectFieldStart("delta");
      delta.write(json);
      json.writeEndObject();
      json.writeFieldName("logprobs");
      if (logprobs.isEmpty()) {
        json.writeNull();
      } else {
        LogprobWriter.writeChat(json, logprobs);
      }
      json.writeStringField("finish_reason", finishReason);
      json.writeEndObject();
      json.writeEndArray();
      if (head.includeUsage()) json.writeNullField("usage");
      json.writeEndObject();
    });
  }
}
