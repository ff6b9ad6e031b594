package dev.stator.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Chat, batch and bench against a server that says the prompt back. */
class ClientCommandsTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;
  private final FakeStarter starter = new FakeStarter();
  private final String url = starter.server.address().toString();

  @AfterEach
  void close() {
    starter.close();
  }

  @Test
  void shouldAnswerEachLineOfAPipe() {
    final CliRun run = run("a fox\n\nand a hare\n", "chat", "--url", url);
    assertEquals(0, run.exitCode(), run.err());
    assertEquals("a fox \nand a hare \n", run.out());
    final JsonNode second = starter.server.requests.get(1);
    assertEquals("fake", second.get("model").asText());
    assertEquals(List.of("user: a fox", "assistant: a fox ", "user: and a hare"), messages(second));
  }

  @Test
  void shouldForgetOnResetAndObeyTheSystemCommand() {
    run(
        "one\n/reset\ntwo\n/system be brief\nthree\n/exit\nfour\n",
        "chat",
        "--url",
        url,
        "--system",
        "be long",
        "--temperature",
        "0",
        "--max-tokens",
        "5");
    final List<JsonNode> requests = starter.server.requests;
    assertEquals(3, requests.size());
    assertEquals(List.of("system: be long", "user: one"), messages(requests.get(0)));
    assertEquals(List.of("system: be long", "user: two"), messages(requests.get(1)));
    assertEquals(List.of("system: be brief", "user: three"), messages(requests.get(2)));
    assertEquals(5, requests.get(0).get("max_tokens").asInt());
  }

  @Test
  void shouldGoOnAfterAFailureButSaySoInTheEnd() {
    final CliRun run = run("BUSY\nfine\n/nonsense\n", "chat", "--url", url);
    assertEquals(1, run.exitCode());
    assertEquals("fine \n", run.out());
    assertTrue(run.err().contains("error: HTTP 503: the queue is full"), run.err());
    assertTrue(run.err().contains("no command /nonsense"), run.err());
    assertEquals(List.of("user: fine"), messages(starter.server.requests.get(1)));
  }

  @Test
  void shouldStartANodeForAChatAndStopIt() throws IOException {
    final Path model = Files.createFile(folder.resolve("model.gguf"));
    final CliRun run = run("hello\n", "chat", model.toString());
    assertEquals("hello \n", run.out());
    assertEquals(0, starter.started.getFirst().port());
    assertEquals(0, starter.stopped.getCount(), "the node was not stopped");
  }

  @Test
  void shouldSayWhenTheServerIsNotThere() {
    starter.close();
    final CliRun run = run("hello\n", "chat", "--url", url);
    assertEquals(1, run.exitCode());
    assertTrue(run.err().startsWith("error: no answer from " + url), run.err());
  }

  @Test
  void shouldAnswerABatchInItsOrder() throws IOException {
    final Path model = Files.createFile(folder.resolve("model.gguf"));
    final Path batch =
        Files.write(
            folder.resolve("prompts.jsonl"),
            List.of(
                "{\"custom_id\":\"first\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\","
                    + "\"body\":{\"model\":\"gpt\",\"stream\":true,"
                    + "\"messages\":[{\"role\":\"user\",\"content\":\"a b\"}]}}",
                "{\"text\":\"one two three\"}",
                "",
                "not json",
                "{\"custom_id\":\"busy\",\"body\":{\"messages\":[{\"role\":\"user\",\"content\":\"BUSY\"}]}}",
                "{\"custom_id\":\"lost\",\"url\":\"/v1/embeddings\",\"body\":{}}"));
    final CliRun run = run("", "run", "in=batch:" + batch, "out=cpu", model.toString());
    assertEquals(1, run.exitCode());
    assertTrue(run.out().startsWith("5 requests: 2 answered, 3 failed; 30 prompt"), run.out());
    final List<JsonNode> results = new ArrayList<>();
    for (String line : Files.readAllLines(folder.resolve("prompts.results.jsonl"))) {
      results.add(JSON.readTree(line));
    }
    assertEquals("first", results.get(0).get("custom_id").asText());
    assertEquals(200, results.get(0).at("/response/status_code").asInt());
    assertEquals("a b", results.get(0).at("/response/body/choices/0/message/content").asText());
    assertEquals("one two three", results.get(1).get("response").asText());
    assertEquals(3, results.get(1).get("tokens_out").asInt());
    assertEquals("stop", results.get(1).get("finish_reason").asText());
    assertEquals("invalid_line", results.get(2).at("/error/code").asText());
    assertEquals(503, results.get(3).at("/response/status_code").asInt());
    assertTrue(results.get(4).at("/error/message").asText().contains("/v1/embeddings"));
    starter.server.requests.forEach(request -> {
      assertEquals("fake", request.get("model").asText());
      assertFalse(request.path("stream").asBoolean());
    });
  }

  @Test
  void shouldBenchAndWriteBothReports() throws IOException {
    final Path json = folder.resolve("report.json");
    final Path html = folder.resolve("report.html");
    final CliRun run =
        run(
            "",
            "bench",
            "--url",
            url,
            "--model",
            "other",
            "--requests",
            "6",
            "--concurrency",
            "2",
            "--warm-up",
            "1",
            "--input-tokens",
            "50",
            "--output-tokens",
            "4",
            "--ignore-eos",
            "--goodput",
            "ttft=1m",
            "--json",
            json.toString(),
            "--html",
            html.toString());
    assertEquals(0, run.exitCode(), run.err());
    final JsonNode report = JSON.readTree(json.toFile());
    assertEquals(6, report.at("/counts/succeeded").asInt());
    assertEquals(24, report.at("/counts/output_tokens").asLong());
    assertEquals(300, report.at("/counts/input_tokens").asLong(), "prompts have not their size");
    assertEquals(6, report.at("/ttft_ms/count").asInt());
    assertEquals(1.0, report.at("/goodput/share").asDouble());
    assertTrue(Files.readString(html).contains("</html>"));
    assertTrue(run.out().contains("6 succeeded, 0 failed"), run.out());
    final JsonNode request = starter.server.requests.getLast();
    assertTrue(request.get("ignore_eos").asBoolean());
    assertTrue(request.at("/stream_options/include_usage").asBoolean());
    assertEquals("other", request.get("model").asText());
  }

  @Test
  void shouldBenchPlainCompletionsInAnOpenLoop() {
    final CliRun run =
        run(
            "",
            "bench",
            "--url",
            url,
            "--endpoint",
            "completions",
            "--rate",
            "200",
            "--requests",
            "10",
            "--warm-up",
            "0");
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().contains("open loop, Poisson, 200.0 requests/s"), run.out());
    assertTrue(starter.server.requests.getLast().has("prompt"));
  }

  @Test
  void shouldFailABenchInWhichRequestsFailed() throws IOException {
    final Path trace =
        Files.writeString(
            folder.resolve("trace.jsonl"),
            "{\"timestamp\":0,\"input_length\":20,\"output_length\":3}\n");
    starter.server.failNextAfter(2); // The two that measure the prompts.
    final CliRun run =
        run("", "bench", "--url", url, "--trace", trace.toString(), "--warm-up", "0");
    assertEquals(1, run.exitCode());
    assertTrue(run.out().contains("1 of 1 requests failed"), run.out());
    assertTrue(run.out().contains("HTTP 503: the queue is full"), run.out());
  }

  private CliRun run(String input, String... arguments) {
    return CliRun.of(starter, null, input, arguments);
  }

  private static List<String> messages(JsonNode request) {
    final List<String> messages = new ArrayList<>();
    for (JsonNode message : request.get("messages")) {
      messages.add(message.get("role").asText() + ": " + message.get("content").asText());
    }
    return messages;
  }
}
