package dev.stator.cli.client;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/**
 * Speaks to one OpenAI-compatible server over HTTP/1.1, keeping connections. Any thread may call
 * it.
 */
public final class OpenAiClient implements AutoCloseable {
  /** Where an answer is asked for, below the base address. */
  public static final String CHAT_PATH = "/v1/chat/completions";

  /** Where a plain prompt is continued, below the base address. */
  public static final String COMPLETIONS_PATH = "/v1/completions";

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);

  private final HttpClient http =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(CONNECT_TIMEOUT)
          .build();
  private final String base;
  private final Optional<String> apiKey;
  private final Duration timeout;

  /**
   * @param address of the server, with or without {@code /v1} at its end
   * @param timeout from a request's start to its end
   */
  public OpenAiClient(URI address, Optional<String> apiKey, Duration timeout) {
    this.base = address.toString().replaceFirst("/+(v1/*)?$", "");
    this.apiKey = apiKey;
    this.timeout = timeout;
  }

  /**
   * The names of the models that the server serves.
   *
   * @throws EndpointException when it cannot be reached or does not answer so
   */
  public List<String> models() {
    final HttpRequest request = request("/v1/models").GET().build();
    final JsonNode body = join(send(request)).body();
    final List<String> names = new ArrayList<>();
    for (JsonNode model : body.path("data")) names.add(model.path("id").asText());
    return List.copyOf(names);
  }

  /** A whole answer: the status and the body, which is an error's unless the status is 200. */
  public record Reply(int status, JsonNode body) {}

  /** Posts a body and answers what comes back, whatever its status. */
  public CompletableFuture<Reply> post(String path, JsonNode body) {
    return http.sendAsync(postRequest(path, body), BodyHandlers.ofString(StandardCharsets.UTF_8))
        .thenApply(response -> new Reply(response.statusCode(), parse(response.body())))
        .orTimeout(timeout.toNanos(), TimeUnit.NANOSECONDS)
        .exceptionallyCompose(failure -> CompletableFuture.failedFuture(translate(failure)));
  }

  /**
   * Posts a body whose answer is streamed.
   *
   * @param onText called on a client thread for each chunk of the answer, in order
   * @return completes after the last call of {@code onText}; fails with an {@link
   *     EndpointException}
   */
  public CompletableFuture<Completion> stream(String path, JsonNode body, Consumer<String> onText) {
    final LineSubscriber lines = new LineSubscriber(new ChunkReader(onText));
    final CompletableFuture<HttpResponse<Void>> exchange =
        http.sendAsync(postRequest(path, body), info -> linesOrRefusal(info, lines));
    final CompletableFuture<Completion> completion = lines.completion();
    exchange.whenComplete((_, failure) -> {
      if (failure != null) completion.completeExceptionally(failure);
    });
    completion.orTimeout(timeout.toNanos(), TimeUnit.NANOSECONDS);
    completion.whenComplete((_, failure) -> {
      if (failure != null) exchange.cancel(true);
    });
    return completion.exceptionallyCompose(
        failure -> CompletableFuture.failedFuture(translate(failure)));
  }

  /** The failure that a future of this client ended with, as the exception it is. */
  public static EndpointException translate(Throwable failure) {
    final Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    return switch (cause) {
      case EndpointException known -> known;
      case java.net.http.HttpConnectTimeoutException _ ->
          new EndpointException(
              "connection", "no connection within " + CONNECT_TIMEOUT.toSeconds() + " s");
      case TimeoutException _ -> new EndpointException("timeout", "no complete answer in time");
      case java.net.ConnectException _ -> new EndpointException("connection", "refused");
      case IOException broken when broken.getCause() instanceof EndpointException known -> known;
      case IOException broken ->
          new EndpointException("connection", "broke: " + broken.getMessage());
      default -> new EndpointException("client", cause.toString());
    };
  }

  /** The answer of a future of this client, waited for. */
  public static <T> T join(CompletableFuture<T> future) {
    try {
      return future.join();
    } catch (CompletionException failure) {
      throw translate(failure);
    }
  }

  @Override
  public void close() {
    http.shutdownNow();
  }

  private CompletableFuture<Reply> send(HttpRequest request) {
    return http.sendAsync(request, BodyHandlers.ofString(StandardCharsets.UTF_8))
        .thenApply(response -> {
          if (response.statusCode() != 200) throw refused(response.statusCode(), response.body());
          return new Reply(200, parse(response.body()));
        })
        .orTimeout(timeout.toNanos(), TimeUnit.NANOSECONDS);
  }

  private HttpRequest.Builder request(String path) {
    final HttpRequest.Builder builder = HttpRequest.newBuilder(URI.create(base + path));
    apiKey.ifPresent(key -> builder.header("Authorization", "Bearer " + key));
    return builder;
  }

  private HttpRequest postRequest(String path, JsonNode body) {
    return request(path)
        .header("Content-Type", "application/json")
        .POST(HttpRequest.BodyPublishers.ofString(body.toString()))
        .build();
  }

  private static BodySubscriber<Void> linesOrRefusal(
      HttpResponse.ResponseInfo info, LineSubscriber lines) {
    if (info.statusCode() == 200) return BodySubscribers.fromLineSubscriber(lines);
    return BodySubscribers.mapping(
        BodySubscribers.ofString(StandardCharsets.UTF_8),
        body -> {
          throw refused(info.statusCode(), body);
        });
  }

  private static EndpointException refused(int status, String body) {
    final String message =
        body.stripLeading().startsWith("{") ? ChunkReader.message(parse(body)) : body.strip();
    return new EndpointException("HTTP " + status, message.isEmpty() ? "no message" : message);
  }

  private static JsonNode parse(String body) {
    try {
      return JSON.readTree(body);
    } catch (JsonProcessingException wrong) {
      throw new EndpointException("not understood", "the answer is not JSON");
    }
  }
}
