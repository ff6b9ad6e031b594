package dev.stator.http;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.request.GenerationEvent;
import dev.stator.request.GenerationEvent.Delta;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Source;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A client that goes away, however it goes, cancels its generation at once. */
class ClientGoneTest {
  private static final TestServer SERVER = TestServer.start("keep-alive-interval = 1h");
  private static final String WHOLE = "{\"model\":\"tiny\",\"prompt\":\"Hi\"}";
  private static final String STREAM = "{\"model\":\"tiny\",\"prompt\":\"Hi\",\"stream\":true}";
  private static final Delta DELTA = new Delta(0, "Hello", 1, List.of());

  /** Ways to leave. */
  private enum Leave {
    CLOSE(RawClient::close),
    RESET(RawClient::reset),
    CLOSE_OUTPUT(RawClient::closeOutput);

    private final Consumer<RawClient> action;

    Leave(Consumer<RawClient> action) {
      this.action = action;
    }
  }

  private CompletableFuture<Void> started;
  private CompletableFuture<Void> cancelled;

  @AfterAll
  static void stop() {
    SERVER.close();
  }

  @BeforeEach
  void forget() {
    started = new CompletableFuture<>();
    cancelled = new CompletableFuture<>();
  }

  @ParameterizedTest
  @EnumSource
  void shouldCancelWhenNothingIsStreamed(Leave leave) {
    endlessAfter(Source.single(DELTA));
    RawClient client = RawClient.connect(SERVER).post("/v1/completions", WHOLE);
    TestServer.await(started);
    leave.action.accept(client);
    TestServer.await(cancelled);
    client.close();
  }

  @ParameterizedTest
  @EnumSource
  void shouldCancelWhenAStreamHasNoFirstToken(Leave leave) {
    endlessAfter(Source.empty());
    RawClient client = RawClient.connect(SERVER).post("/v1/completions", STREAM);
    TestServer.await(started);
    leave.action.accept(client);
    TestServer.await(cancelled);
    client.close();
  }

  @ParameterizedTest
  @EnumSource
  void shouldCancelInMidStream(Leave leave) {
    endlessAfter(Source.single(DELTA));
    RawClient client = RawClient.connect(SERVER).post("/v1/completions", STREAM);
    client.readUntil("Hello");
    leave.action.accept(client);
    TestServer.await(cancelled);
    client.close();
  }

  @Test
  void shouldCancelAStreamThatWaitsBehindAnother() {
    endlessAfter(Source.single(DELTA));
    RawClient client = RawClient.connect(SERVER).post("/v1/completions", STREAM);
    client.readUntil("Hello");
    CompletableFuture<Void> firstCancelled = cancelled;
    forget();
    client.post("/v1/completions", STREAM);
    TestServer.await(started);
    client.close();
    TestServer.await(firstCancelled);
    TestServer.await(cancelled);
    awaitIdle();
  }

  @Test
  void shouldGiveBackThePlace() {
    endlessAfter(Source.single(DELTA));
    RawClient client = RawClient.connect(SERVER).post("/v1/completions", WHOLE);
    TestServer.await(started);
    client.close();
    TestServer.await(cancelled);
    awaitIdle();
    awaitTrue(() -> SERVER.get("/metrics").body().contains("/v1/completions\",status=\"499\"}"));
  }

  @Test
  void shouldStillAnswerAClientThatAsksToClose() {
    SERVER.generations.answer("Hello");
    RawClient client = RawClient.connect(SERVER);
    client.post("/v1/completions", WHOLE, "Connection: close");
    String response = client.readToEnd();
    assertTrue(response.startsWith("HTTP/1.1 200"), response);
    assertTrue(response.contains("\"text\":\"Hello\""), response);
  }

  @Test
  void shouldStillAnswerAnOldClient() {
    SERVER.generations.answer("Hello");
    RawClient client = RawClient.connect(SERVER);
    client.send(
        "POST /v1/completions HTTP/1.0\r\nContent-Length: "
            + STREAM.length()
            + "\r\n\r\n"
            + STREAM);
    String response = client.readToEnd();
    assertTrue(response.startsWith("HTTP/1.1 200"), response);
    assertTrue(response.endsWith("data: [DONE]\n\n"), response);
  }

  private void endlessAfter(Source<Delta, NotUsed> first) {
    SERVER.generations.script(call ->
        first
            .map(delta -> (GenerationEvent) delta)
            .concat(Source.never())
            .watchTermination((notUsed, done) -> {
              CompletableFuture<Void> end = cancelled;
              started.complete(null);
              done.whenComplete((ok, failure) -> end.complete(null));
              return notUsed;
            }));
  }

  /** Cancelling comes before the place is free again, by a little. */
  private static void awaitIdle() {
    awaitTrue(() -> TestServer.json(SERVER.get("/health")).path("active_requests").asInt() == 0);
  }

  private static void awaitTrue(BooleanSupplier condition) {
    long deadline = System.nanoTime() + TestServer.PATIENCE.toNanos();
    while (!condition.getAsBoolean()) assertTrue(System.nanoTime() < deadline, "never true");
  }
}
