package dev.stator.cli.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * An OpenAI-compatible server that says a prompt's words back, one a token. Words of the prompt
 * make it misbehave: {@code BUSY} (503), {@code CUT} (ends in mid-stream), {@code ERROR} (error
 * event), {@code JUNK} (no JSON), {@code SILENT} (never answers).
 */
public final class FakeServer implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Bodies of all requests so far, in the order of arrival. */
  public final List<JsonNode> requests = new CopyOnWriteArrayList<>();

  /** {@code Authorization} headers of all requests so far; an absent one is {@code null}. */
  public final List<String> authorizations = new CopyOnWriteArrayList<>();

  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpServer http;
  private volatile int answersBeforeFailures = Integer.MAX_VALUE;

  /** Listens on a free port. */
  public FakeServer() {
    try {
      http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
    http.setExecutor(threads);
    http.createContext("/v1/models", exchange -> answer(exchange, 200, models()));
    http.createContext("/v1/chat/completions", exchange -> complete(exchange, true));
    http.createContext("/v1/completions", exchange -> complete(exchange, false));
    http.start();
  }

  public URI address() {
    return URI.create("http://127.0.0.1:" + http.getAddress().getPort());
  }

  /** Answers {@code count} requests from the first on, and is busy for all others. */
  public void failNextAfter(int count) {
    answersBeforeFailures = count;
  }

  @Override
  public void close() {
    http.stop(0);
    threads.shutdownNow();
  }

  private static String models() {
    return "{\"object\":\"list\",\"data\":[{\"id\":\"fake\"},{\"id\":\"other\"}]}";
  }

  private void complete(HttpExchange exchange, boolean chat) throws IOException {
    final JsonNode request = JSON.readTree(exchange.getRequestBody());
    requests.add(request);
    authorizations.add(exchange.getRequestHeaders().getFirst("Authorization"));
    final JsonNode messages = request.path("messages");
    final String prompt =
        chat
            ? messages.path(messages.size() - 1).path("content").asText()
            : request.path("prompt").asText();
    if (prompt.contains("SILENT")) return;
    if (prompt.contains("BUSY") || requests.size() > answersBeforeFailures) {
      answer(exchange, 503, "{\"error\":{\"message\":\"the queue is full\"}}");
    } else if (request.path("stream").asBoolean()) {
      stream(exchange, request, prompt, chat);
    } else {
      answer(exchange, 200, whole(request, prompt, chat));
    }
  }

  private static String[] words(JsonNode request, String prompt) {
    final String[] words = prompt.split(" ");
    final int count = Math.min(words.length, request.path("max_tokens").asInt(words.length));
    return List.of(words).subList(0, count).toArray(String[]::new);
  }

  private static String whole(JsonNode request, String prompt, boolean chat) {
    final String text = quoted(String.join(" ", words(request, prompt)));
    final String answer =
        chat ? "\"message\":{\"role\":\"assistant\",\"content\":" + text + "}" : "\"text\":" + text;
    return "{\"id\":\"answer-1\",\"choices\":[{\"index\":0,%s,\"finish_reason\":\"stop\"}],%s}"
        .formatted(answer, usage(request, prompt));
  }

  private static void stream(HttpExchange exchange, JsonNode request, String prompt, boolean chat)
      throws IOException {
    exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
    exchange.sendResponseHeaders(200, 0);
    try (OutputStream body = exchange.getResponseBody()) {
      write(body, ": a comment\n\n");
      if (chat)
        event(body, "{\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}");
      for (String word : words(request, prompt)) {
        final String text = quoted(word + " ");
        event(
            body,
            "{\"choices\":[{%s}]}"
                .formatted(chat ? "\"delta\":{\"content\":" + text + "}" : "\"text\":" + text));
      }
      if (prompt.contains("CUT")) return;
      if (prompt.contains("ERROR")) event(body, "{\"error\":{\"message\":\"the worker is gone\"}}");
      if (prompt.contains("JUNK")) event(body, "{nonsense");
      event(body, "{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}");
      event(body, "{\"choices\":[],%s}".formatted(usage(request, prompt)));
      event(body, "[DONE]");
    }
  }

  private static String usage(JsonNode request, String prompt) {
    return ("\"usage\":{\"prompt_tokens\":%d,\"completion_tokens\":%d,"
            + "\"prompt_tokens_details\":{\"cached_tokens\":2}}")
        .formatted(10 + 2 * prompt.split(" ").length, words(request, prompt).length);
  }

  private static String quoted(String text) {
    return JSON.valueToTree(text).toString();
  }

  private static void event(OutputStream body, String data) throws IOException {
    write(body, "data: " + data + "\n\n");
  }

  private static void write(OutputStream body, String text) throws IOException {
    body.write(text.getBytes(StandardCharsets.UTF_8));
    body.flush();
  }

  private static void answer(HttpExchange exchange, int status, String body) throws IOException {
    final byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length);
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(bytes);
    }
  }
}
