package dev.stator.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.stator.engine.FinishReason;
import dev.stator.request.GenerationEvent;
import dev.stator.request.GenerationEvent.Completed;
import dev.stator.request.GenerationEvent.Delta;
import dev.stator.request.GenerationEvent.Finished;
import dev.stator.request.GenerationEvent.Usage;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.Done;
import org.apache.pekko.stream.javadsl.Source;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Connections that ask for nothing make room for those that do. */
class IdleConnectionTest {
  private static final String SHORT = "connection-idle-timeout = 50ms";
  private static final String LIVE = "GET /live HTTP/1.1\r\nHost: test\r\n\r\n";
  private static final String COMPLETIONS = "/v1/completions";
  private static final TestServer SERVER = TestServer.start(SHORT);

  @AfterAll
  static void stop() {
    SERVER.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "G", "GET /live HTTP/1.1\r\nHost: te", "GET /live HTTP/1.1\r\n"})
  void shouldCloseAConnectionWhenNoRequestComes(String begun) {
    try (RawClient client = RawClient.connect(SERVER).send(begun)) {
      assertEquals("", client.readToEnd());
    }
  }

  @Test
  void shouldCloseAConnectionWhenNoFurtherRequestComes() {
    try (RawClient client = RawClient.connect(SERVER)) {
      for (int request = 0; request < 3; request++) {
        client.send(LIVE).readUntil("\"live\"}");
      }
      assertEquals("", client.readToEnd());
    }
  }

  @Test
  void shouldCloseAConnectionWhenItsStreamIsOver() {
    SERVER.generations.answer("Hello");
    try (RawClient client = RawClient.connect(SERVER).post(COMPLETIONS, body(true))) {
      client.readUntil("data: [DONE]\n\n");
      assertEquals("\r\n0\r\n\r\n", client.readToEnd());
    }
  }

  @Test
  void shouldServeOthersWhenSilentConnectionsTakeAllPlaces() {
    String places = "connections-max = 2, requests-max = 2," + SHORT;
    try (TestServer server = TestServer.start(places);
        RawClient first = RawClient.connect(server);
        RawClient second = RawClient.connect(server);
        RawClient third = RawClient.connect(server)) {
      String health = third.send("GET /health HTTP/1.1\r\nHost: test\r\n\r\n").readUntil("}");
      assertTrue(health.startsWith("HTTP/1.1 200"), health);
      assertEquals("", first.readToEnd());
      assertEquals("", second.readToEnd());
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldKeepAConnectionWhileItsRequestIsInProgress(boolean stream) {
    CompletableFuture<Void> started = new CompletableFuture<>();
    CompletableFuture<Done> end = new CompletableFuture<>();
    SERVER.generations.script(call -> {
      started.complete(null);
      return Source.single((GenerationEvent) new Delta(0, "first", 1, List.of()))
          .concat(Source.completionStage(end).mapConcat(done -> end()));
    });
    try (RawClient client = RawClient.connect(SERVER).post(COMPLETIONS, body(stream))) {
      if (stream) client.readUntil("first");
      TestServer.await(started);
      passIdleTime();
      end.complete(Done.getInstance());
      client.readUntil(stream ? "data: [DONE]\n\n" : "}}}");
    }
  }

  @ParameterizedTest
  @CsvSource({"connection-idle-timeout, 0s", "idle-timeout, 29m", "keep-alive-interval, 0s"})
  void shouldRefuseTimesThatMakeNoSense(String key, String value) {
    IllegalArgumentException refusal =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                HttpSettings.from(
                    ConfigFactory.parseString("stator.http." + key + " = " + value)
                        .withFallback(ConfigFactory.load())
                        .getConfig("stator.http")));
    assertTrue(refusal.getMessage().contains("stator.http." + key), refusal.getMessage());
  }

  /** Others that came later are closed for their silence, three times one after another. */
  private static void passIdleTime() {
    List<String> read = new ArrayList<>();
    for (int round = 0; round < 3; round++) {
      try (RawClient silent = RawClient.connect(SERVER)) {
        read.add(silent.readToEnd());
      }
    }
    assertEquals(List.of("", "", ""), read);
  }

  private static String body(boolean stream) {
    return "{\"model\":\"tiny\",\"prompt\":\"Hi\",\"stream\":" + stream + "}";
  }

  private static List<GenerationEvent> end() {
    return List.of(new Finished(0, FinishReason.STOP), new Completed(new Usage(3, 1, 0)));
  }
}
