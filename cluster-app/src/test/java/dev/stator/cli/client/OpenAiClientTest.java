package dev.stator.cli.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OpenAiClientTest {
  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  private final FakeServer server = new FakeServer();
  private final OpenAiClient client =
      new OpenAiClient(server.address(), Optional.of("secret"), TIMEOUT);
  private final List<String> texts = Collections.synchronizedList(new ArrayList<>());

  @AfterEach
  void close() {
    client.close();
    server.close();
  }

  @Test
  void shouldStreamAnAnswerWithItsUsage() {
    final Completion completion = stream(OpenAiClient.CHAT_PATH, chat("a fox — ein Füchslein"));
    assertEquals(List.of("a ", "fox ", "— ", "ein ", "Füchslein "), texts);
    assertEquals(new Completion("stop", new Usage(20, 5, 2)), completion);
    assertEquals(List.of("Bearer secret"), server.authorizations);
  }

  @Test
  void shouldStreamAPlainCompletion() {
    final ObjectNode body = JsonNodeFactory.instance.objectNode().put("prompt", "one two");
    stream(OpenAiClient.COMPLETIONS_PATH, body.put("stream", true));
    assertEquals(List.of("one ", "two "), texts);
  }

  @ParameterizedTest
  @CsvSource({
    "BUSY, HTTP 503, HTTP 503: the queue is full",
    "CUT, cut off, cut off: the stream ended before [DONE]",
    "ERROR, error event, error event: the worker is gone",
    "JUNK, not understood, not understood: a chunk is not JSON: {nonsense"
  })
  void shouldNameTheFailure(String word, String kind, String message) {
    final EndpointException failure =
        assertThrows(
            EndpointException.class, () -> stream(OpenAiClient.CHAT_PATH, chat("x " + word)));
    assertEquals(kind, failure.kind());
    assertEquals(message, failure.getMessage());
  }

  @Test
  void shouldGiveUpWhenNoAnswerComesInTime() {
    try (OpenAiClient impatient =
        new OpenAiClient(server.address(), Optional.empty(), Duration.ofMillis(200))) {
      final EndpointException failure =
          assertThrows(
              EndpointException.class,
              () ->
                  OpenAiClient.join(
                      impatient.stream(OpenAiClient.CHAT_PATH, chat("SILENT"), texts::add)));
      assertEquals("timeout", failure.kind());
    }
  }

  @Test
  void shouldSayWhenNobodyListens() {
    final URI nobody = server.address();
    server.close();
    try (OpenAiClient lost = new OpenAiClient(nobody, Optional.empty(), TIMEOUT)) {
      final EndpointException failure = assertThrows(EndpointException.class, lost::models);
      assertEquals("connection", failure.kind());
    }
  }

  @Test
  void shouldListModelsWhetherTheAddressEndsInV1OrNot() {
    for (String end : List.of("", "/", "/v1", "/v1/")) {
      try (OpenAiClient other =
          new OpenAiClient(URI.create(server.address() + end), Optional.empty(), TIMEOUT)) {
        assertEquals(List.of("fake", "other"), other.models());
      }
    }
  }

  @Test
  void shouldAnswerTheStatusOfAWholeReply() {
    final OpenAiClient.Reply reply =
        OpenAiClient.join(client.post(OpenAiClient.CHAT_PATH, chat("BUSY")));
    assertEquals(503, reply.status());
    assertTrue(reply.body().has("error"));
  }

  private Completion stream(String path, ObjectNode body) {
    return OpenAiClient.join(client.stream(path, body, texts::add));
  }

  private static ObjectNode chat(String prompt) {
    final ObjectNode body = JsonNodeFactory.instance.objectNode().put("stream", true);
    body.putArray("messages").addObject().put("role", "user").put("content", prompt);
    return body;
  }
}
