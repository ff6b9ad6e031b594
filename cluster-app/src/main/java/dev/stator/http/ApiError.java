package dev.stator.http;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.request.GenerationEvent.Failed;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/**
 * An error in OpenAI's shape: {@code {"error":{"message","type","param","code"}}}.
 *
 * @param status HTTP status code
 * @param type OpenAI's class of error
 * @param code what exactly, for programs
 * @param param the request's parameter that is at fault, such as {@code messages[2].content};
 *     {@code null} when none is
 * @param message one sentence for the user
 * @param retryAfter when trying again makes sense
 */
record ApiError(
    int status,
    String type,
    String code,
    String param,
    String message,
    Optional<Duration> retryAfter) {
  private static final String INVALID_REQUEST = "invalid_request_error";
  private static final String SERVER_ERROR = "server_error";
  private static final String RATE_LIMIT = "rate_limit_error";
  private static final int QUOTED_CHARACTERS_MAX = 40;

  ApiError {
    message = WellFormed.text(message);
    param = param == null ? null : WellFormed.text(param);
  }

  static ApiError invalid(String code, String param, String message) {
    return new ApiError(400, INVALID_REQUEST, code, param, message, Optional.empty());
  }

  static ApiError wrongType(String param, String expected, JsonNode found) {
    return invalid(
        "invalid_type",
        param,
        "'%s' must be %s, but is %s.".formatted(param, expected, describe(found)));
  }

  static ApiError wrongValue(String param, String expected, Object found) {
    return invalid(
        "invalid_value",
        param,
        "'%s' must be %s, but is %s.".formatted(param, expected, quote(found)));
  }

  static ApiError missing(String param) {
    return invalid("missing_required_parameter", param, "'%s' is required.".formatted(param));
  }

  static ApiError unsupported(String param, String message) {
    return invalid("unsupported_parameter", param, message);
  }

  static ApiError of(int status, String code, String message) {
    String type = status >= 500 ? SERVER_ERROR : INVALID_REQUEST;
    return new ApiError(status, type, code, null, message, Optional.empty());
  }

  static ApiError modelNotFound(String name) {
    return new ApiError(
        404,
        INVALID_REQUEST,
        "model_not_found",
        "model",
        "The model %s is not served here; GET /v1/models lists those that are."
            .formatted(quote(name)),
        Optional.empty());
  }

  static ApiError overloaded(String message, Duration retryAfter) {
    return new ApiError(
        429, RATE_LIMIT, "rate_limit_exceeded", null, message, Optional.of(retryAfter));
  }

  static ApiError unavailable(String message, Duration retryAfter) {
    return new ApiError(503, SERVER_ERROR, "unavailable", null, message, Optional.of(retryAfter));
  }

  static ApiError internal() {
    return of(500, "internal_error", "The server failed at this request; its log says why.");
  }

  /** A generation's failure; {@code retryAfterDefault} is for a refusal that names no time. */
  static ApiError of(Failed failed, Duration retryAfterDefault) {
    String message = failed.message();
    Duration retryAfter = failed.retryAfter() == null ? retryAfterDefault : failed.retryAfter();
    return switch (failed.kind()) {
      case INVALID -> invalid("invalid_value", null, message);
      case UNKNOWN_MODEL ->
          new ApiError(404, INVALID_REQUEST, "model_not_found", "model", message, Optional.empty());
      case OVERLOADED -> overloaded(message, retryAfter);
      case UNAVAILABLE -> unavailable(message, retryAfter);
      case INTERNAL -> of(500, "internal_error", message);
    };
  }

  void write(JsonGenerator json) throws IOException {
    json.writeStartObject();
    json.writeObjectFieldStart("error");
    json.writeStringField("message", message);
    json.writeStringField("type", type);
    json.writeStringField("param", param);
    json.writeStringField("code", code);
    json.writeEndObject();
    json.writeEndObject();
  }

  private static String describe(JsonNode found) {
    return switch (found.getNodeType()) {
      case ARRAY -> "an array";
      case OBJECT -> "an object";
      case STRING -> "a string";
      case NUMBER -> found.isIntegralNumber() ? "an integer" : "a number";
      case BOOLEAN -> "a boolean";
      case NULL, MISSING -> "null";
      case BINARY, POJO -> "something else";
    };
  }

  private static String quote(Object found) {
    String text = String.valueOf(found);
    String shown =
        text.length() <= QUOTED_CHARACTERS_MAX
            ? text
            : text.substring(0, QUOTED_CHARACTERS_MAX) + "…";
    return found instanceof String ? "'" + shown + "'" : shown;
  }
}
