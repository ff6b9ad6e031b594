package dev.stator.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.engine.FinishReason;
import dev.stator.request.GenerationCall;
import dev.stator.request.GenerationEvent;
import dev.stator.request.GenerationEvent.Completed;
import dev.stator.request.GenerationEvent.Delta;
import dev.stator.request.GenerationEvent.Finished;
import dev.stator.request.GenerationEvent.Usage;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.Done;
import org.apache.pekko.stream.javadsl.Source;
import org.junit.jupiter.api.Test;

/** What happens on the wire besides the words of an answer. */
class ConnectionTest {
  private static final String COMPLETIONS = "/v1/completions";
  private static final String WHOLE = "{\"model\":\"tiny\",\"prompt\":\"Hi\"}";
  private static final String STREAM = "{\"model\":\"tiny\",\"prompt\":\"Hi\",\"stream\":true}";
  private static final String KEEP_ALIVE = ": keep-alive\n\n";

  @Test
  void shouldHoldBackTheGenerationWhenTheReaderIsSlow() throws InterruptedException {
    int deltaCount = 1000;
    String text = "x".repeat(32 * 1024);
    AtomicInteger produced = new AtomicInteger();
    Semaphore progress = new Semaphore(0);
    try (TestServer server = TestServer.start()) {
      server.generations.script(call ->
          Source.range(1, deltaCount)
              .map(index -> {
                produced.incrementAndGet();
                progress.release();
                return (GenerationEvent) new Delta(0, text, 1, List.of());
              })
              .concat(Source.from(end(deltaCount))));
      try (RawClient client = RawClient.connect(server, 16 * 1024).post(COMPLETIONS, STREAM)) {
        // Demand stops when the kernel's buffers are full: no further delta comes for a while.
        while (progress.tryAcquire(1, 300, TimeUnit.MILLISECONDS)) {
          assertTrue(produced.get() < deltaCount / 2, "the whole answer was buffered");
        }
        int whileBlocked = produced.get();
        String answer = client.readUntil("data: [DONE]\n\n");
        assertEquals(deltaCount, produced.get());
        assertTrue(whileBlocked < deltaCount / 2, "produced unread: " + whileBlocked);
        assertEquals(deltaCount, answer.split(text, -1).length - 1);
      }
    }
  }

  @Test
  void shouldAnswerPipelinedRequestsInOrder() {
    try (TestServer server = TestServer.start();
        RawClient client = RawClient.connect(server)) {
      server.generations.script(call -> {
        String text = new String(promptBytes(call), 1, call.promptTokens().length - 1);
        return Source.from(ScriptedGenerations.events(call, FinishReason.STOP, "<" + text + ">"));
      });
      List<String> prompts = List.of("one", "two", "three", "four", "five");
      for (String prompt : prompts) {
        boolean stream = prompt.length() % 2 == 1;
        client.post(
            COMPLETIONS,
            "{\"prompt\":\"" + prompt + "\",\"model\":\"tiny\",\"stream\":" + stream + "}");
      }
      client.send("GET /live HTTP/1.1\r\nHost: test\r\n\r\n");
      String answers = client.readUntil("\"live\"}");
      int position = 0;
      for (String prompt : prompts) {
        int found = answers.indexOf("<" + prompt + ">");
        assertTrue(found > position, answers);
        position = found;
      }
    }
  }

  @Test
  void shouldServeStreamsSideBySide() {
    int streamCount = 24;
    try (TestServer server = TestServer.start()) {
      // Nobody's answer goes on until all have begun.
      AtomicInteger begun = new AtomicInteger();
      CompletableFuture<Done> allHaveBegun = new CompletableFuture<>();
      server.generations.script(call -> {
        if (begun.incrementAndGet() == streamCount) allHaveBegun.complete(Done.getInstance());
        return Source.single((GenerationEvent) new Delta(0, "first", 1, List.of()))
            .concat(
                Source.completionStage(allHaveBegun)
                    .map(done -> new Delta(0, "second", 1, List.of())))
            .concat(Source.from(end(2)));
      });
      List<RawClient> clients = new ArrayList<>();
      for (int index = 0; index < streamCount; index++) {
        clients.add(RawClient.connect(server).post(COMPLETIONS, STREAM));
      }
      for (RawClient client : clients) {
        String answer = client.readUntil("[DONE]\n\n");
        assertTrue(answer.contains("first") && answer.contains("second"), answer);
        client.close();
      }
    }
  }

  @Test
  void shouldSendCommentsWhileNothingElseComes() {
    CompletableFuture<Done> end = new CompletableFuture<>();
    try (TestServer server = TestServer.start("keep-alive-interval = 20ms");
        RawClient client = RawClient.connect(server)) {
      server.generations.script(call ->
          Source.single((GenerationEvent) new Delta(0, "first", 1, List.of()))
              .concat(Source.completionStage(end).mapConcat(done -> end(1))));
      client.post(COMPLETIONS, STREAM);
      String before = client.readUntil("first");
      assertTrue(before.startsWith("HTTP/1.1 200"), before);
      client.readUntil(KEEP_ALIVE);
      client.readUntil(KEEP_ALIVE);
      end.complete(Done.getInstance());
      client.readUntil("data: [DONE]\n\n");
    }
  }

  @Test
  void shouldCommitTheStatusWhenNothingComesWithinTheInterval() {
    CompletableFuture<List<GenerationEvent>> answer = new CompletableFuture<>();
    try (TestServer server = TestServer.start("keep-alive-interval = 20ms");
        RawClient client = RawClient.connect(server)) {
      server.generations.script(call -> Source.completionStage(answer).mapConcat(events -> events));
      client.post(COMPLETIONS, STREAM);
      String head = client.readUntil(KEEP_ALIVE);
      assertTrue(head.startsWith("HTTP/1.1 200"), head);
      client.readUntil(KEEP_ALIVE);
      answer.complete(
          List.of(
              new GenerationEvent.Failed(
                  GenerationEvent.Failed.Kind.OVERLOADED, "Too much.", null)));
      String failure = client.readUntil("\r\n0\r\n\r\n");
      assertTrue(failure.contains("data: {\"error\":{\"message\":\"Too much.\""), failure);
      assertFalse(failure.contains("[DONE]"), failure);
    }
  }

  @Test
  void shouldEndAnAnswerThatTakesTooLong() {
    try (TestServer server = TestServer.start("request-timeout = 50ms, keep-alive-interval = 1h")) {
      server.generations.script(call -> Source.never());
      HttpResponse<String> whole = server.post(COMPLETIONS, WHOLE);
      assertEquals(503, whole.statusCode());
      assertTrue(whole.body().contains("request-timeout"), whole.body());
      assertTrue(whole.headers().firstValue("Retry-After").isPresent());
      server.generations.script(call ->
          Source.single((GenerationEvent) new Delta(0, "first", 1, List.of()))
              .concat(Source.never()));
      HttpResponse<String> streamed = server.post(COMPLETIONS, STREAM);
      assertEquals(200, streamed.statusCode());
      assertTrue(streamed.body().contains("data: {\"error\":{"), streamed.body());
      assertFalse(streamed.body().contains("[DONE]"), streamed.body());
    }
  }

  @Test
  void shouldRefuseALongBodyByItsLengthAndByItsBytes() {
    String body = "{\"prompt\":\"" + "x".repeat(5000) + "\"}";
    try (TestServer server = TestServer.start("body-max = 1000")) {
      HttpResponse<String> announced = server.post(COMPLETIONS, body);
      assertEquals(413, announced.statusCode());
      assertEquals(
          "request_too_large", TestServer.json(announced).path("error").path("code").asText());
      try (RawClient client = RawClient.connect(server)) {
        client.send(
            "POST /v1/completions HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
        client.send(Integer.toHexString(body.length()) + "\r\n" + body + "\r\n0\r\n\r\n");
        String chunked = client.readUntil("}}");
        assertTrue(chunked.startsWith("HTTP/1.1 413"), chunked);
      }
      assertEquals(200, server.post(COMPLETIONS, WHOLE).statusCode());
    }
  }

  @Test
  void shouldRefuseABodyThatDoesNotArrive() {
    try (TestServer server = TestServer.start("body-timeout = 50ms");
        RawClient client = RawClient.connect(server)) {
      client.send(
          "POST /v1/completions HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\n{\"pr");
      String response = client.readUntil("}}");
      assertTrue(response.startsWith("HTTP/1.1 408"), response);
    }
  }

  @Test
  void shouldRefuseOneRequestTooManyBeforeItsBody() {
    CompletableFuture<Done> end = new CompletableFuture<>();
    try (TestServer server = TestServer.start("requests-max = 2, retry-after = 1500ms")) {
      server.generations.script(call -> Source.completionStage(end).mapConcat(done -> end(0)));
      List<RawClient> clients = new ArrayList<>();
      for (int index = 0; index < 2; index++) {
        clients.add(RawClient.connect(server).post(COMPLETIONS, WHOLE));
      }
      awaitActive(server, 2);
      HttpResponse<String> refused = server.post(COMPLETIONS, "not even JSON");
      assertEquals(429, refused.statusCode());
      assertEquals("2", refused.headers().firstValue("Retry-After").orElseThrow());
      assertTrue(refused.body().contains("stator.http.requests-max"), refused.body());
      assertEquals(200, server.get("/health").statusCode());
      end.complete(Done.getInstance());
      clients.forEach(client -> client.readUntil("}}}"));
      awaitActive(server, 0);
      assertEquals(200, server.post(COMPLETIONS, WHOLE).statusCode());
      clients.forEach(RawClient::close);
    }
  }

  @Test
  void shouldLetRunningStreamsEndWhenDraining() {
    CompletableFuture<Done> end = new CompletableFuture<>();
    TestServer server = TestServer.start();
    server.generations.script(call ->
        Source.single((GenerationEvent) new Delta(0, "first", 1, List.of()))
            .concat(Source.completionStage(end).mapConcat(done -> end(1))));
    RawClient client = RawClient.connect(server).post(COMPLETIONS, STREAM);
    client.readUntil("first");
    CompletionStage<Done> drained = server.server.drain();
    HttpResponse<String> health = server.get("/health");
    assertEquals(503, health.statusCode());
    assertEquals("draining", TestServer.json(health).path("status").asText());
    assertEquals(200, server.get("/live").statusCode());
    HttpResponse<String> refused = server.post(COMPLETIONS, WHOLE);
    assertEquals(503, refused.statusCode());
    assertTrue(refused.headers().firstValue("Retry-After").isPresent());
    assertFalse(drained.toCompletableFuture().isDone());
    end.complete(Done.getInstance());
    String rest = client.readToEnd();
    assertTrue(rest.contains("data: [DONE]\n\n"), rest);
    TestServer.await(drained);
    client.close();
  }

  @Test
  void shouldCutWhatRunsWhenTheDrainTakesTooLong() {
    CompletableFuture<Void> cancelled = new CompletableFuture<>();
    TestServer server = TestServer.start("drain-timeout = 50ms");
    server.generations.script(call ->
        Source.single((GenerationEvent) new Delta(0, "first", 1, List.of()))
            .concat(Source.never())
            .watchTermination((notUsed, done) -> {
              done.whenComplete((ok, failure) -> cancelled.complete(null));
              return notUsed;
            }));
    RawClient client = RawClient.connect(server).post(COMPLETIONS, STREAM);
    client.readUntil("first");
    TestServer.await(server.server.drain());
    TestServer.await(cancelled);
    String rest = client.readToEnd();
    assertTrue(rest.contains("data: {\"error\":{"), rest);
    client.close();
  }

  @Test
  void shouldNotAnswerBeforeItIsReady() {
    try (TestServer server = TestServer.startNotReady()) {
      HttpResponse<String> health = server.get("/health");
      assertEquals(503, health.statusCode());
      assertTrue(health.headers().firstValue("Retry-After").isPresent());
      assertEquals("starting", TestServer.json(health).path("status").asText());
      assertEquals(503, server.post(COMPLETIONS, WHOLE).statusCode());
      server.readiness.markReady();
      assertEquals(200, server.get("/health").statusCode());
      assertEquals(200, server.post(COMPLETIONS, WHOLE).statusCode());
    }
  }

  @Test
  void shouldAnswerNonsenseAsAnError() {
    try (TestServer server = TestServer.start();
        RawClient client = RawClient.connect(server)) {
      String response = client.send("GET /%zz HTTP/1.1\r\nHost: test\r\n\r\n").readToEnd();
      assertTrue(response.startsWith("HTTP/1.1 400"), response);
      assertTrue(response.contains("{\"error\":{\"message\":"), response);
    }
  }

  private static List<GenerationEvent> end(int tokenCount) {
    return List.of(new Finished(0, FinishReason.STOP), new Completed(new Usage(3, tokenCount, 0)));
  }

  private static byte[] promptBytes(GenerationCall call) {
    byte[] bytes = new byte[call.promptTokens().length];
    for (int index = 0; index < bytes.length; index++) {
      bytes[index] = (byte) call.promptTokens()[index];
    }
    return bytes;
  }

  private static void awaitActive(TestServer server, int count) {
    long deadline = System.nanoTime() + TestServer.PATIENCE.toNanos();
    while (TestServer.json(server.get("/health")).path("active_requests").asInt() != count) {
      assertTrue(System.nanoTime() < deadline, "never " + count + " active requests");
    }
  }
}
