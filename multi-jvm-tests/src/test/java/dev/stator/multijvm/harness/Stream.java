package dev.stator.multijvm.harness;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * One streamed request, read by a virtual thread of its own as it comes. Any thread may look, wait
 * or leave.
 */
public final class Stream {
  /** Far more than any pause that a test causes. */
  public static final Duration PATIENCE = Duration.ofSeconds(120);

  private static final ObjectMapper JSON = new ObjectMapper();

  private final CompletableFuture<Answer> answer = new CompletableFuture<>();
  private final CompletableFuture<Void> firstText = new CompletableFuture<>();
  private final StringBuilder text = new StringBuilder(); // The reading thread's, as the next five.
  private final StringBuilder logprobs = new StringBuilder();
  private String finish;
  private int completionTokens;
  private String error;
  private long longestPauseNs;
  private volatile InputStream body;
  private Thread reader;

  private Stream() {}

  /** Asks; returns at once. */
  public static Stream start(HttpClient http, URI server, Question question) {
    final Stream stream = new Stream();
    stream.reader =
        Thread.ofVirtual().name("stream").unstarted(() -> stream.run(http, server, question));
    stream.reader.start();
    return stream;
  }

  /** Waits for its first text: from then on the answer is under way. */
  public void awaitFirstText() throws InterruptedException {
    try {
      firstText.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException late) {
      throw new AssertionError("no text within " + PATIENCE, late);
    }
  }

  /** Complete once it has brought text, or has ended. */
  CompletableFuture<Void> firstText() {
    return firstText;
  }

  public boolean isDone() {
    return answer.isDone();
  }

  /** Waits for its end. */
  public Answer answer() {
    return answer(PATIENCE);
  }

  /** As {@link #answer()}, with a patience of its own. */
  public Answer answer(Duration patience) {
    return answer.orTimeout(patience.toMillis(), TimeUnit.MILLISECONDS).join();
  }

  /** Closes the connection, as a client that goes away does. */
  public void leave() throws IOException {
    final InputStream open = body;
    if (open != null) open.close();
    reader.interrupt(); // A request without an answer yet.
  }

  private void run(HttpClient http, URI server, Question question) {
    try {
      final HttpRequest request =
          HttpRequest.newBuilder(server.resolve("/v1/completions"))
              .header("Content-Type", "application/json")
              .POST(HttpRequest.BodyPublishers.ofString(question.body()))
              .build();
      final HttpResponse<InputStream> response =
          http.send(request, HttpResponse.BodyHandlers.ofInputStream());
      try (InputStream opened = response.body()) {
        body = opened;
        if (response.statusCode() == 200) readEvents(opened);
        else
          error =
              response.statusCode()
                  + " "
                  + new String(opened.readAllBytes(), StandardCharsets.UTF_8);
      }
    } catch (IOException | InterruptedException failure) {
      error = failure.toString();
    } finally {
      firstText.complete(null);
      answer.complete(
          new Answer(
              text.toString(),
              logprobs.toString(),
              finish,
              completionTokens,
              error,
              Duration.ofNanos(longestPauseNs)));
    }
  }

  private void readEvents(InputStream opened) throws IOException {
    final BufferedReader lines =
        new BufferedReader(new InputStreamReader(opened, StandardCharsets.UTF_8));
    long lastNs = System.nanoTime();
    String line;
    while ((line = lines.readLine()) != null) {
      if (!line.startsWith("data: ")) continue;
      final long nowNs = System.nanoTime();
      longestPauseNs = Math.max(longestPauseNs, nowNs - lastNs);
      lastNs = nowNs;
      if (line.equals("data: [DONE]")) return;
      event(JSON.readTree(line.substring("data: ".length())));
    }
    if (error == null) error = "the stream ended without [DONE]";
  }

  private void event(JsonNode event) {
    if (event.has("error")) error = event.get("error").toString();
    final JsonNode choice = event.path("choices").path(0);
    final String piece = choice.path("text").asText("");
    text.append(piece);
    if (!piece.isEmpty()) firstText.complete(null);
    if (choice.path("logprobs").isObject()) logprobs.append(flat(choice.get("logprobs")));
    if (choice.path("finish_reason").isTextual()) finish = choice.get("finish_reason").asText();
    if (event.path("usage").isObject()) {
      completionTokens = event.at("/usage/completion_tokens").asInt();
    }
  }

  /** How tokens are joined into events is chance; their values are not. */
  private static String flat(JsonNode logprobs) {
    final StringBuilder values = new StringBuilder();
    for (int i = 0; i < logprobs.path("tokens").size(); i++) {
      values
          .append(logprobs.path("tokens").path(i))
          .append(logprobs.path("token_logprobs").path(i));
      values.append(logprobs.path("top_logprobs").path(i)).append('\n');
    }
    return values.toString();
  }
}
