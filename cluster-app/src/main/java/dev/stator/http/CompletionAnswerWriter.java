package dev.stator.http;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.stator.engine.FinishReason;
import dev.stator.request.GenerationEvent.Delta;
import dev.stator.request.GenerationEvent.Finished;
import dev.stator.request.GenerationEvent.Placed;
import dev.stator.request.GenerationEvent.TokenLogprob;
import dev.stator.request.GenerationEvent.Usage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.util.ByteString;

/** The answer of {@code POST /v1/completions} that is not streamed. */
final class CompletionAnswerWriter implements EventWriter {
  /** One choice as far as it has come. */
  private static final class Choice {
    final StringBuilder text = new StringBuilder();
    final List<TokenLogprob> logprobs = new ArrayList<>();
    FinishReason reason;
  }

  private final AnswerHead head;
  private final List<Choice> choices = new ArrayList<>();
  private final List<Placed> placements = new ArrayList<>();
  private ByteString ready = ByteString.emptyByteString();

  /**
   * @param echoes what each choice's text begins with; empty for nothing
   */
  CompletionAnswerWriter(AnswerHead head, List<String> echoes) {
    this.head = head;
    for (int index = 0; index < head.choiceCount(); index++) {
      Choice choice = new Choice();
      if (!echoes.isEmpty()) choice.text.append(echoes.get(index));
      choices.add(choice);
    }
  }

  @Override
  public void placed(Placed placed) {
    placements.add(placed);
  }

  @Override
  public void delta(Delta delta) {
    Choice choice = choices.get(delta.choiceIndex());
    choice.text.append(delta.text());
    choice.logprobs.addAll(delta.logprobs());
  }

  @Override
  public void finished(Finished finished) {
    choices.get(finished.choiceIndex()).reason = finished.reason();
  }

  @Override
  public void completed(Usage usage) {
    ready =
        JsonBodies.write(json -> {
          json.writeStartObject();
          head.write(json, "text_completion");
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

  private static void writeChoice(JsonGenerator json, int index, Choice choice) throws IOException {
    json.writeStartObject();
    json.writeNumberField("index", index);
    json.writeStringField("text", choice.text.toString());
    json.writeFieldName("logprobs");
    if (choice.logprobs.isEmpty()) {
      json.writeNull();
    } else {
      LogprobWriter.writeCompletion(json, choice.logprobs, 0);
    }
    json.writeStringField("finish_reason", FinishReasons.label(choice.reason));
    json.writeEndObject();
  }
}
