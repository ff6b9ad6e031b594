package dev.stator.http;

import dev.stator.http.CompletionRequest.Prompt;
import dev.stator.request.ServedModel;
import java.util.List;

/**
 * A checked body of {@code POST /v1/embeddings}.
 *
 * @param inputs at least one
 * @param dimensions values of each embedding; 0 for all
 * @param isBase64 whether embeddings are base64 rather than arrays of numbers
 */
record EmbeddingRequest(
    ServedModel model, List<Prompt> inputs, int dimensions, boolean isBase64, String cacheSalt) {
  EmbeddingRequest {
    inputs = List.copyOf(inputs);
  }

  /** Reads the body's fields; a fault is an {@link ApiException}. */
  static EmbeddingRequest parse(JsonFields fields, ServedModel model, RequestLimits limits) {
    fields.ignore(List.of("user"));
    String format = fields.text("encoding_format").orElse("float");
    if (!format.equals("float") && !format.equals("base64")) {
      throw new ApiException(ApiError.wrongValue("encoding_format", "'float' or 'base64'", format));
    }
    List<Prompt> inputs =
        CompletionRequest.prompts(fields, "input", limits.embeddingInputsMax(), model);
    inputs.forEach(EmbeddingRequest::requireText);
    return new EmbeddingRequest(
        model,
        inputs,
        fields.integer("dimensions", 1, Integer.MAX_VALUE).orElse(0),
        format.equals("base64"),
        fields.text("cache_salt").orElse(""));
  }

  private static void requireText(Prompt input) {
    if (!(input instanceof Prompt.Text(var path, var text)) || !text.isEmpty()) return;
    throw new ApiException(
        ApiError.invalid("invalid_value", path, "'%s' must not be empty.".formatted(path)));
  }
}
