package dev.stator.http;

import dev.stator.request.ServedModel;
import java.util.OptionalInt;

/** A checked body of {@code POST /v1/chat/completions}. */
record ChatRequest(
    ServedModel model,
    Conversation conversation,
    GenerationOptions options,
    SamplingRequest sampling) {

  /** Reads the body's fields; a fault is an {@link ApiException}. */
  static ChatRequest parse(
      JsonFields fields, ServedModel model, MessageParser messages, RequestLimits limits) {
    return new ChatRequest(
        model,
        Conversation.parse(fields, messages, limits),
        GenerationOptions.parse(fields, limits),
        SamplingRequest.parse(
            fields, model, limits, maxTokens(fields), topLogprobs(fields, limits)));
  }

  /** The newer name wins where both are given. */
  private static OptionalInt maxTokens(JsonFields fields) {
    OptionalInt older = fields.integer("max_tokens", 1, Integer.MAX_VALUE);
    OptionalInt newer = fields.integer("max_completion_tokens", 1, Integer.MAX_VALUE);
    return newer.isPresent() ? newer : older;
  }

  private static OptionalInt topLogprobs(JsonFields fields, RequestLimits limits) {
    boolean logprobs = fields.flag("logprobs", false);
    OptionalInt top = fields.integer("top_logprobs", 0, limits.topLogprobsMax());
    if (logprobs) return OptionalInt.of(top.orElse(0));
    if (top.orElse(0) > 0) {
      throw new ApiException(
          ApiError.invalid(
              "invalid_value", "top_logprobs", "'top_logprobs' needs 'logprobs' to be true."));
    }
    return OptionalInt.empty();
  }
}
