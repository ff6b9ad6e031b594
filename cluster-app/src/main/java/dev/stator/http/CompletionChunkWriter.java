package dev.stator.http;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.stator.engine.FinishReason;
import dev.stator.request.GenerationEvent.Delta;
import dev.stator.request.GenerationEvent.Finished;
import dev.stator.request.GenerationEvent.Placed;
import dev.stator.request.GenerationEvent.TokenLogprob;
import dev.stator.request.GenerationEvent.Usage;
import java.io.IOException;
import java.util.List;
import org.apache.pekko.util.ByteString;

/** The stream of {@code POST /v1/completions}. */
final class CompletionChunkWriter implements EventWriter {
  private static final String OBJECT = "text_completion";

  private final SseBuffer out = new SseBuffer();
  private final AnswerHead head;
  private final List<String> echoes;
  private final boolean[] isEchoed;
  private final int[] textOffsets;

  /**
   * @param echoes what each choice's text begins with; empty for nothing
   */
  CompletionChunkWriter(AnswerHead head, List<String> echoes) {
    this.head = head;
    this.echoes = echoes;
    this.isEchoed = new boolean[head.choiceCount()];
    this.textOffsets = new int[head.choiceCount()];
  }

  @Override
  public void placed(Placed placed) {
    out.event(json -> PlacementWriter.writeChunk(json, head, OBJECT, placed));
  }

  @Override
  public void delta(Delta delta) {
    String text = withEcho(delta.choiceIndex(), delta.text());
    if (text.isEmpty() && delta.logprobs().isEmpty()) return;
    chunk(delta.choiceIndex(), text, delta.logprobs(), null);
  }

  @Override
  public void finished(Finished finished) {
    String text = withEcho(finished.choiceIndex(), "");
    chunk(finished.choiceIndex(), text, List.of(), finished.reason());
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

  private String withEcho(int choice, String text) {
    if (echoes.isEmpty() || isEchoed[choice]) return text;
    isEchoed[choice] = true;
    return echoes.get(choice) + text;
  }

  private void chunk(int choice, String text, List<TokenLogprob> logprobs, FinishReason reason) {
    out.event(json -> {
      json.writeStartObject();
      head.write(json, OBJECT);
      json.writeArrayFieldStart("choices");
      json.writeStartObject();
      json.writeNumberField("index", choice);
      json.writeStringField("text", text);
      writeLogprobs(json, choice, logprobs);
      json.writeStringField("finish_reason", FinishReasons.label(reason));
      json.writeEndObject();
      json.writeEndArray();
      if (head.includeUsage()) json.writeNullField("usage");
      json.writeEndObject();
    });
  }

  private void writeLogprobs(JsonGenerator json, int choice, List<TokenLogprob> logprobs)
      throws IOException {
    json.writeFieldName("logprobs");
    if (logprobs.isEmpty()) {
      json.writeNull();
    } else {
      textOffsets[choice] = LogprobWriter.writeCompletion(json, logprobs, textOffsets[choice]);
    }
  }
}
