package dev.stator.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.scaladsl.model.EntityStreamSizeException;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.util.ByteStringBuilder;

/** Reads bodies whole, within their limits of size and time. */
final class BodyReader {
  private final HttpSettings settings;
  private final JsonBodies json;
  private final Materializer materializer;

  BodyReader(HttpSettings settings, JsonBodies json, Materializer materializer) {
    this.settings = settings;
    this.json = json;
    this.materializer = materializer;
  }

  /**
   * The body's bytes; fails with an {@link ApiException} (413, 408, 415) when they cannot be had.
   */
  CompletionStage<byte[]> read(HttpRequest request) {
    Optional<ApiError> refusal = refusal(request);
    if (refusal.isPresent()) {
      discard(request);
      return CompletableFuture.failedFuture(new ApiException(refusal.get()));
    }
    return request
        .entity()
        .withSizeLimit(settings.bodyBytesMax())
        .getDataBytes()
        .completionTimeout(settings.bodyTimeout())
        .runWith(Sink.fold(new ByteStringBuilder(), ByteStringBuilder::append), materializer)
        .handle((bytes, failure) -> {
          if (failure != null) throw new ApiException(unreadable(failure));
          return bytes.result().toArrayUnsafe();
        });
  }

  /** Lets a body pass by that nobody will read, or its connection would stand still. */
  void discard(HttpRequest request) {
    request.discardEntityBytes(materializer);
  }

  /** The bytes as a JSON object; throws an {@link ApiException} when they are none. */
  ObjectNode parse(byte[] body) {
    return json.parse(body);
  }

  private Optional<ApiError> refusal(HttpRequest request) {
    if (request.entity().getContentLengthOption().orElse(0) > settings.bodyBytesMax()) {
      return Optional.of(tooLarge());
    }
    return request
        .getHeader("Content-Encoding")
        .filter(header -> !header.value().equalsIgnoreCase("identity"))
        .map(header ->
            ApiError.of(
                415,
                "unsupported_encoding",
                "Bodies must not be encoded, but this one is " + header.value() + "."));
  }

  private ApiError unreadable(Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    return switch (cause) {
      case EntityStreamSizeException size -> tooLarge();
      case TimeoutException slow ->
          ApiError.of(
              408,
              "body_timeout",
              "The body did not arrive within stator.http.body-timeout (%d s)."
                  .formatted(settings.bodyTimeout().toSeconds()));
      default -> ApiError.of(400, "incomplete_body", "The body broke off.");
    };
  }

  private ApiError tooLarge() {
    return ApiError.of(
        413,
        "request_too_large",
        "The body must have at most %d bytes (stator.http.body-max)."
            .formatted(settings.bodyBytesMax()));
  }
}
