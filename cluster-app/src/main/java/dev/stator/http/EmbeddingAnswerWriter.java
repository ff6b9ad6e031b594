package dev.stator.http;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.stator.request.GenerationEvent.Delta;
import dev.stator.request.GenerationEvent.Embedded;
import dev.stator.request.GenerationEvent.Finished;
import dev.stator.request.GenerationEvent.Placed;
import dev.stator.request.GenerationEvent.Usage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import org.apache.pekko.util.ByteString;

/** The answer of {@code POST /v1/embeddings}: vectors of length 1, in the order of the inputs. */
final class EmbeddingAnswerWriter implements EventWriter {
  private final AnswerHead head;
  private final int dimensions;
  private final boolean isBase64;
  private final float[][] embeddings;
  private ByteString ready = ByteString.emptyByteString();

  /**
   * @param dimensions values of each embedding; 0 for all
   */
  EmbeddingAnswerWriter(AnswerHead head, int dimensions, boolean isBase64) {
    this.head = head;
    this.dimensions = dimensions;
    this.isBase64 = isBase64;
    this.embeddings = new float[head.choiceCount()][];
  }

  @Override
  public void placed(Placed placed) {}

  @Override
  public void delta(Delta delta) {}

  @Override
  public void embedded(Embedded embedded) {
    int size = embedded.values().length;
    if (dimensions > size) {
      throw new ApiException(
          ApiError.wrongValue("dimensions", "at most %d".formatted(size), dimensions));
    }
    int kept = dimensions == 0 ? size : dimensions;
    embeddings[embedded.choiceIndex()] = normalised(embedded.values(), kept);
  }

  /** The first values, scaled to a length of 1; zeros stay zeros. */
  static float[] normalised(float[] values, int count) {
    double squares = 0;
    for (int i = 0; i < count; i++) squares += (double) values[i] * values[i];
    double scale = squares == 0 ? 0 : 1 / Math.sqrt(squares);
    float[] normalised = new float[count];
    for (int i = 0; i < count; i++) normalised[i] = (float) (values[i] * scale);
    return normalised;
  }

  @Override
  public void finished(Finished finished) {}

  @Override
  public void completed(Usage usage) {
    ready =
        JsonBodies.write(json -> {
          json.writeStartObject();
          json.writeStringField("object", "list");
          json.writeArrayFieldStart("data");
          for (int index = 0; index < embeddings.length; index++) write(json, index);
          json.writeEndArray();
          json.writeStringField("model", head.model());
          json.writeObjectFieldStart("usage");
          json.writeNumberField("prompt_tokens", usage.promptTokens());
          json.writeNumberField("total_tokens", usage.promptTokens());
          json.writeEndObject();
          json.writeEndObject();
        });
  }

  private void write(JsonGenerator json, int index) throws IOException {
    float[] values = embeddings[index];
    json.writeStartObject();
    json.writeStringField("object", "embedding");
    json.writeNumberField("index", index);
    if (isBase64) {
      json.writeStringField("embedding", base64(values));
    } else {
      json.writeArrayFieldStart("embedding");
      for (float value : values) json.writeNumber(value);
      json.writeEndArray();
    }
    json.writeEndObject();
  }

  private static String base64(float[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Float.BYTES * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) bytes.putFloat(value);
    return Base64.getEncoder().encodeToString(bytes.array());
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
}
