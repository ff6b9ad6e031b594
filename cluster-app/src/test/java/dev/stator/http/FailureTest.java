package dev.stator.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.request.GenerationEvent;
import dev.stator.request.GenerationEvent.Delta;
import dev.stator.request.GenerationEvent.Failed;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import org.apache.pekko.stream.javadsl.Source;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A generation that fails: with a status as long as there is one to choose, with an event later.
 */
class FailureTest {
  private static final TestServer SERVER = TestServer.start("retry-after = 7s");
  private static final String COMPLETIONS = "/v1/completions";
  private static final String WHOLE = "{\"model\":\"tiny\",\"prompt\":\"Hi\"}";
  private static final String STREAM = "{\"model\":\"tiny\",\"prompt\":\"Hi\",\"stream\":true}";
  private static final Delta DELTA = new Delta(0, "Hello", 1, List.of());

  @AfterAll
  static void stop() {
    SERVER.close();
  }

  @Test
  void shouldNameThePromptWhenItsTokenizerGivesUp() {
    String body = "{\"model\":\"tiny\",\"prompt\":\"" + ByteTokenizer.TOO_COMPLEX + "\"}";
    HttpResponse<String> response = SERVER.post(COMPLETIONS, body);
    assertEquals(400, response.statusCode());
    JsonNode error = TestServer.json(response).path("error");
    assertEquals("prompt", error.path("param").asText());
    assertEquals("Too complex.", error.path("message").asText());
  }

  @ParameterizedTest
  @CsvSource({
    "INVALID, , 400, invalid_request_error, ",
    "UNKNOWN_MODEL, , 404, invalid_request_error, ",
    "OVERLOADED, 2500, 429, rate_limit_error, 3",
    "OVERLOADED, , 429, rate_limit_error, 7",
    "UNAVAILABLE, 100, 503, server_error, 1",
    "UNAVAILABLE, , 503, server_error, 7",
    "INTERNAL, , 500, server_error, "
  })
  void shouldChooseTheStatusWhenNothingWasSent(
      Failed.Kind kind, Integer retryAfterMillis, int status, String type, String retryAfter) {
    Duration time = retryAfterMillis == null ? null : Duration.ofMillis(retryAfterMillis);
    SERVER.generations.script(
        call -> Source.single((GenerationEvent) new Failed(kind, "It is so.", time)));
    for (String body : List.of(WHOLE, STREAM)) {
      HttpResponse<String> response = SERVER.post(COMPLETIONS, body);
      assertEquals(status, response.statusCode());
      assertEquals(retryAfter, response.headers().firstValue("Retry-After").orElse(null));
      JsonNode error = TestServer.json(response).path("error");
      assertEquals("It is so.", error.path("message").asText());
      assertEquals(type, error.path("type").asText());
    }
  }

  @Test
  void shouldEndABegunStreamWithAnErrorEvent() {
    SERVER.generations.script(call ->
        Source.from(
            List.of(DELTA, (GenerationEvent) new Failed(Failed.Kind.INTERNAL, "Broken.", null))));
    HttpResponse<String> response = SERVER.post(COMPLETIONS, STREAM);
    assertEquals(200, response.statusCode());
    String event =
        "data: {'error':{'message':'Broken.','type':'server_error','param':null,"
            + "'code':'internal_error'}}\n\n";
    assertTrue(response.body().endsWith(event.replace('\'', '"')), response.body());
    assertTrue(response.body().contains("Hello"));
    assertEquals(500, SERVER.post(COMPLETIONS, WHOLE).statusCode());
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldNeverEndSilently(boolean withFailure) {
    SERVER.generations.script(call ->
        Source.range(1, withFailure ? 2 : 1)
            .map(index -> {
              if (index == 2) throw new IllegalStateException("on purpose");
              return DELTA;
            }));
    HttpResponse<String> streamed = SERVER.post(COMPLETIONS, STREAM);
    assertEquals(200, streamed.statusCode());
    assertTrue(streamed.body().contains("data: {\"error\":{"), streamed.body());
    assertFalse(streamed.body().contains("[DONE]"), streamed.body());
    assertFalse(streamed.body().contains("on purpose"), streamed.body());
    HttpResponse<String> whole = SERVER.post(COMPLETIONS, WHOLE);
    assertEquals(500, whole.statusCode());
    assertFalse(whole.body().contains("on purpose"), whole.body());
  }

  @Test
  void shouldAnswerAFailureThatComesFirst() {
    SERVER.generations.script(call -> Source.failed(new IllegalStateException("on purpose")));
    assertEquals(500, SERVER.post(COMPLETIONS, STREAM).statusCode());
    SERVER.generations.script(call -> {
      throw new IllegalStateException("on purpose");
    });
    assertEquals(500, SERVER.post(COMPLETIONS, STREAM).statusCode());
    assertEquals(500, SERVER.post(COMPLETIONS, WHOLE).statusCode());
    assertEquals(0, TestServer.json(SERVER.get("/health")).path("active_requests").asInt());
  }
}
