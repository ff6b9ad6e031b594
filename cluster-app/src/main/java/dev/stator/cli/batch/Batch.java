package dev.stator.cli.batch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stator.cli.client.EndpointException;
import dev.stator.cli.client.OpenAiClient;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Sends the lines of a file, some at a time, and writes their results in the file's order. Only a
 * window of lines is in memory.
 */
public final class Batch {
  /** Results that may wait for an earlier one, for each request on its way. */
  private static final int WINDOW_PER_REQUEST = 4;

  private static final ObjectMapper JSON = new ObjectMapper();

  private final OpenAiClient client;
  private final String model;
  private final int concurrency;
  private int answered;
  private int failed;
  private long promptTokens;
  private long completionTokens;

  /** One line's outcome. */
  private record Result(ObjectNode line, JsonNode usage, boolean isOk) {}

  /**
   * @param model put into every request, whatever its line says
   */
  public Batch(OpenAiClient client, String model, int concurrency) {
    this.client = client;
    this.model = model;
    this.concurrency = concurrency;
  }

  /** Runs to the end of {@code requests}; a line that fails is counted and says why. */
  public BatchSummary run(BufferedReader requests, Writer results)
      throws IOException, InterruptedException {
    final long startNs = System.nanoTime();
    final Deque<Future<Result>> window = new ArrayDeque<>();
    final ExecutorService senders =
        Executors.newFixedThreadPool(concurrency, Thread.ofVirtual().factory());
    try {
      String line;
      for (int number = 1; (line = requests.readLine()) != null; number++) {
        if (line.isBlank()) continue;
        final String text = line;
        final String id = "batch_req_" + number;
        window.add(senders.submit(() -> send(id, text)));
        while (!window.isEmpty()
            && (window.size() >= concurrency * WINDOW_PER_REQUEST || window.peek().isDone())) {
          write(window.remove(), results);
        }
      }
      while (!window.isEmpty()) write(window.remove(), results);
    } finally {
      senders.shutdownNow();
    }
    return new BatchSummary(
        answered, failed, promptTokens, completionTokens, (System.nanoTime() - startNs) / 1e9);
  }

  private void write(Future<Result> future, Writer results)
      throws IOException, InterruptedException {
    final Result result;
    try {
      result = future.get();
    } catch (ExecutionException bug) {
      throw new IllegalStateException("a batch request broke", bug.getCause());
    }
    if (result.isOk()) answered++;
    else failed++;
    promptTokens += result.usage().path("prompt_tokens").asLong();
    completionTokens += result.usage().path("completion_tokens").asLong();
    results.append(result.line().toString()).append('\n').flush();
  }

  private Result send(String id, String line) {
    return switch (BatchLine.parse(JSON, line)) {
      case BatchLine.OpenAi request -> sendOpenAi(id, request);
      case BatchLine.Text request -> sendText(request);
      case BatchLine.Wrong wrong ->
          new Result(
              error(id, wrong.customId(), "invalid_line", wrong.problem()),
              JSON.missingNode(),
              false);
    };
  }

  private Result sendOpenAi(String id, BatchLine.OpenAi request) {
    try {
      final OpenAiClient.Reply reply = post(request.path(), request.body());
      final ObjectNode line = line(id, request.customId());
      final ObjectNode response = line.putObject("response");
      response.put("status_code", reply.status());
      response.put("request_id", reply.body().path("id").asText(id));
      response.set("body", reply.body());
      line.putNull("error");
      return new Result(line, reply.body().path("usage"), reply.status() == 200);
    } catch (EndpointException failure) {
      return new Result(
          error(id, request.customId(), failure.kind(), failure.getMessage()),
          JSON.missingNode(),
          false);
    }
  }

  private Result sendText(BatchLine.Text request) {
    final ObjectNode line = JSON.createObjectNode().put("text", request.text());
    final long startNs = System.nanoTime();
    try {
      final OpenAiClient.Reply reply =
          post(OpenAiClient.CHAT_PATH, BatchLine.chatBody(request.text()));
      line.put("elapsed_ms", (System.nanoTime() - startNs) / 1_000_000);
      if (reply.status() != 200) {
        line.set("error", reply.body().path("error"));
        return new Result(line, JSON.missingNode(), false);
      }
      final JsonNode choice = reply.body().path("choices").path(0);
      final JsonNode usage = reply.body().path("usage");
      line.put("response", choice.path("message").path("content").asText());
      line.put("tokens_in", usage.path("prompt_tokens").asInt());
      line.put("tokens_out", usage.path("completion_tokens").asInt());
      line.put("finish_reason", choice.path("finish_reason").asText());
      return new Result(line, usage, true);
    } catch (EndpointException failure) {
      line.putObject("error").put("message", failure.getMessage());
      return new Result(line, JSON.missingNode(), false);
    }
  }

  private OpenAiClient.Reply post(String path, ObjectNode body) {
    body.put("model", model);
    body.remove("stream");
    body.remove("stream_options");
    return OpenAiClient.join(client.post(path, body));
  }

  private static ObjectNode line(String id, String customId) {
    return JSON.createObjectNode().put("id", id).put("custom_id", customId);
  }

  private static ObjectNode error(String id, String customId, String code, String message) {
    final ObjectNode line = line(id, customId);
    line.putNull("response");
    line.putObject("error").put("code", code).put("message", message);
    return line;
  }
}
