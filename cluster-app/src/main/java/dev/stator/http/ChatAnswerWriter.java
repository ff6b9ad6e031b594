package dev.stator.http;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.stator.engine.FinishReason;
import dev.stator.http.tools.Piece;
import dev.stator.http.tools.ToolCallParser;
import dev.stator.request.GenerationEvent.Delta;
import dev.stator.request.GenerationEvent.Finished;
import dev.stator.request.GenerationEvent.Placed;
import dev.stator.request.GenerationEvent.TokenLogprob;
import dev.stator.request.GenerationEvent.Usage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.apache.pekko.util.ByteString;

/** The answer of {@code POST /v1/chat/completions} that is not streamed. */
final class ChatAnswerWriter implements EventWriter {
  /** One tool call as far as it has come. */
  private record Call(String id, String name, StringBuilder arguments) {}

  /** One choice as far as it has come. */
  private static final class Choice {
    final ToolCallParser parser;
    final StringBuilder text = new StringBuilder();
    final List<Call> calls = new ArrayList<>();
    final List<TokenLogprob> logprobs = new ArrayList<>();
    FinishReason reason;

    Choice(ToolCallParser parser) {
      this.parser = parser;
    }

    void add(List<Piece> pieces) {
      for (Piece piece : pieces) {
        switch (piece) {
          case Piece.Content(var more) -> text.append(more);
          case Piece.CallStarted(_, var id, var name) ->
              calls.add(new Call(id, name, new StringBuilder()));
          case Piece.ArgumentsDelta(var index, var json) ->
              calls.get(index).arguments().append(json);
        }
      }
    }
  }

  private final AnswerHead head;
  private final boolean hasLogprobs;
  private final List<Choice> choices = new ArrayList<>();
  private final List<Placed> placements = new ArrayList<>();
  private ByteString ready = ByteString.emptyByteString();

  /**
   * @param hasLogprobs whether they were asked for: an answer without tokens then has an empty list
   * @param parsers one for each choice
   */
  ChatAnswerWriter(AnswerHead head, boolean hasLogprobs, Supplier<ToolCallParser> parsers) {
    this.head = head;
    this.hasLogprobs = hasLogprobs;
    for (int index = 0; index < head.choiceCount(); index++) choices.add(new Choice(parsers.get()));
  }

  @Override
  public void placed(Placed placed) {
    placements.add(placed);
  }

  @Override
  public void delta(Delta delta) {
    Choice choice = choices.get(delta.choiceIndex());
    choice.add(choice.parser.add(delta.text()));
    choice.logprobs.addAll(delta.logprobs());
  }

  @Override
  public void finished(Finished finished) {
    Choice choice = choices.get(finished.choiceIndex());
    choice.add(choice.parser.finish());
    choice.reason = finished.reason();
  }

  @Override
  public void completed(Usage usage) {
    ready =
        JsonBodies.write(json -> {
          json.writeStartObject();
          head.write(json, "chat.completion");
          json.writeArrayFieldStart("choices");
          for (int index = 0; index < choices.size(); index++) {
            writeChoice(json, index, choices.get(index));
          }
          json.writeEndArray();
          AnswerHead.writeUsage(json, usage);
          PlacementWriter.write(json, placements);
          json.writeEndObject();
        });
  }

  @Override
  public void failed(ApiError error) {
    throw new ApiException(error);
  }

  @Override
  public ByteString take() {
    ByteString taken = ready;
    ready = ByteString.emptyByteString();
    return taken;
  }

  private void writeChoice(JsonGenerator json, int index, Choice choice) throws IOException {
    json.writeStartObject();
    json.writeNumberField("index", index);
    json.writeObjectFieldStart("message");
    json.writeStringField("role", "assistant");
    boolean onlyCalls = choice.text.isEmpty() && !choice.calls.isEmpty();
    json.writeStringField("content", onlyCalls ? null : choice.text.toString());
    json.writeNullField("refusal");
    if (!choice.calls.isEmpty()) {
      json.writeArrayFieldStart("tool_calls");
      for (Call call : choice.calls) {
        ToolCallWriter.writeWhole(json, call.id(), call.name(), call.arguments().toString());
      }
      json.writeEndArray();
    }
    json.writeEndObject();
    json.writeFieldName("logprobs");
    if (hasLogprobs) {
      LogprobWriter.writeChat(json, choice.logprobs);
    } else {
      json.writeNull();
    }
    json.writeStringField(
        "finish_reason", FinishReasons.label(choice.reason, !choice.calls.isEmpty()));
    json.writeEndObject();
  }
}
