package dev.stator.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EndpointTest {
  private static final TestServer SERVER = TestServer.start();
  private static final TestServer OPEN =
      TestServer.start("cors { enabled = on, allowed-origins = [\"http://page\"] }");

  @AfterAll
  static void stop() {
    SERVER.close();
    OPEN.close();
  }

  @Test
  void shouldListItsModels() {
    HttpResponse<String> response = SERVER.get("/v1/models");
    assertEquals(200, response.statusCode());
    String expected =
        "{'object':'list','data':["
            + "{'id':'tiny','object':'model','created':1700000000,'owned_by':'stator','max_model_len':200},"
            + "{'id':'org/base','object':'model','created':1700000000,'owned_by':'stator','max_model_len':200}]}";
    assertEquals(expected.replace('\'', '"'), response.body());
  }

  @ParameterizedTest
  @CsvSource({"tiny, tiny", "org/base, org/base", "org%2Fbase, org/base"})
  void shouldShowAModel(String path, String name) {
    HttpResponse<String> response = SERVER.get("/v1/models/" + path);
    assertEquals(200, response.statusCode());
    assertEquals(name, TestServer.json(response).path("id").asText());
  }

  @Test
  void shouldSayThatAModelIsUnknown() {
    HttpResponse<String> response = SERVER.get("/v1/models/none");
    assertEquals(404, response.statusCode());
    assertEquals("model_not_found", TestServer.json(response).path("error").path("code").asText());
  }

  @Test
  void shouldTellHealthLifeAndVersion() {
    assertEquals("ready", TestServer.json(SERVER.get("/health")).path("status").asText());
    assertEquals("live", TestServer.json(SERVER.get("/live")).path("status").asText());
    assertFalse(TestServer.json(SERVER.get("/version")).path("version").asText().isEmpty());
  }

  @Test
  void shouldTokenizeText() {
    JsonNode answer =
        TestServer.json(
            SERVER.post("/tokenize", "{\"model\":\"tiny\",\"prompt\":\"Hé<|im_end|>\"}"));
    assertEquals(
        TestServer.json(
            "{\"count\":5,\"max_model_len\":200,\"tokens\":[256,72,195,169,258],\"token_strs\":null}"),
        answer);
    JsonNode plain =
        TestServer.json(
            SERVER.post(
                "/tokenize",
                "{\"model\":\"tiny\",\"prompt\":\"Hi\",\"add_special_tokens\":false,"
                    + "\"return_token_strs\":true}"));
    assertEquals(
        TestServer.json(
            "{\"count\":2,\"max_model_len\":200,\"tokens\":[72,105],\"token_strs\":[\"H\",\"i\"]}"),
        plain);
  }

  @Test
  void shouldTokenizeAConversation() {
    JsonNode answer =
        TestServer.json(
            SERVER.post(
                "/tokenize",
                "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"));
    assertEquals(21, answer.path("count").asInt());
    assertEquals(257, answer.path("tokens").get(0).asInt());
  }

  @Test
  void shouldDetokenize() {
    HttpResponse<String> response =
        SERVER.post("/detokenize", "{\"model\":\"tiny\",\"tokens\":[256,72,195,169]}");
    assertEquals("{\"prompt\":\"<|begin|>Hé\"}", response.body());
    HttpResponse<String> wrong =
        SERVER.post("/detokenize", "{\"model\":\"tiny\",\"tokens\":[72,259]}");
    assertEquals(400, wrong.statusCode());
    assertEquals("tokens[1]", TestServer.json(wrong).path("error").path("param").asText());
    assertEquals(400, SERVER.post("/detokenize", "{\"model\":\"tiny\"}").statusCode());
    assertEquals(400, SERVER.post("/tokenize", "{\"model\":\"tiny\"}").statusCode());
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "/v1", "/v1/models/", "/v1/chat", "/nothing?x=1", "/Health"})
  void shouldSayThatAPathIsUnknown(String path) {
    for (HttpResponse<String> response : List.of(SERVER.get(path), SERVER.post(path, "{}"))) {
      assertEquals(404, response.statusCode());
      assertEquals("not_found", TestServer.json(response).path("error").path("code").asText());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "GET, /v1/chat/completions, 'POST, OPTIONS'",
    "DELETE, /v1/completions, 'POST, OPTIONS'",
    "POST, /v1/models, 'GET, HEAD, OPTIONS'",
    "PUT, /health, 'GET, HEAD, OPTIONS'"
  })
  void shouldSayThatAMethodIsWrong(String method, String path, String allowed) {
    HttpResponse<String> response =
        SERVER.send(
            HttpRequest.newBuilder(SERVER.uri(path)).method(method, BodyPublishers.noBody()));
    assertEquals(405, response.statusCode());
    assertEquals(allowed, response.headers().firstValue("Allow").orElseThrow());
    assertEquals(
        "method_not_allowed", TestServer.json(response).path("error").path("code").asText());
  }

  @Test
  void shouldAnswerHeadWithoutABody() {
    HttpResponse<String> response =
        SERVER.send(
            HttpRequest.newBuilder(SERVER.uri("/health")).method("HEAD", BodyPublishers.noBody()));
    assertEquals(200, response.statusCode());
    assertEquals("", response.body());
    try (RawClient client = RawClient.connect(SERVER)) {
      client.send(
          "HEAD /live HTTP/1.1\r\nHost: test\r\n\r\nGET /live HTTP/1.1\r\nHost: test\r\n\r\n");
      String both = client.readUntil("{\"status\":\"live\"}");
      assertEquals(2, both.split("HTTP/1.1 200", -1).length - 1, both);
    }
  }

  @Test
  void shouldReturnTheRequestIdOrMakeOne() {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(SERVER.uri("/live")).header("X-Request-Id", "mine-42");
    assertEquals("mine-42", requestId(SERVER.send(request)));
    assertTrue(requestId(SERVER.get("/live")).startsWith("req-"));
    assertTrue(requestId(SERVER.get("/nothing")).startsWith("req-"));
    HttpRequest.Builder tooLong =
        HttpRequest.newBuilder(SERVER.uri("/live")).header("X-Request-Id", "x".repeat(129));
    assertTrue(requestId(SERVER.send(tooLong)).startsWith("req-"));
  }

  @Test
  void shouldKeepPagesOfOtherOriginsOutUnlessConfigured() {
    HttpResponse<String> closed = preflight(SERVER, "http://page");
    assertEquals(204, closed.statusCode());
    assertTrue(closed.headers().firstValue("Access-Control-Allow-Origin").isEmpty());
    HttpResponse<String> other = preflight(OPEN, "http://elsewhere");
    assertTrue(other.headers().firstValue("Access-Control-Allow-Origin").isEmpty());
    HttpResponse<String> open = preflight(OPEN, "http://page");
    assertEquals(204, open.statusCode());
    assertEquals(
        "http://page", open.headers().firstValue("Access-Control-Allow-Origin").orElseThrow());
    assertEquals(
        "authorization", open.headers().firstValue("Access-Control-Allow-Headers").orElseThrow());
    HttpResponse<String> error =
        OPEN.send(HttpRequest.newBuilder(OPEN.uri("/nothing")).header("Origin", "http://page"));
    assertEquals(
        "http://page", error.headers().firstValue("Access-Control-Allow-Origin").orElseThrow());
  }

  @Test
  void shouldRefuseAnEncodedBody() {
    HttpResponse<String> response =
        SERVER.send(
            HttpRequest.newBuilder(SERVER.uri("/v1/completions"))
                .header("Content-Encoding", "gzip")
                .POST(BodyPublishers.ofByteArray(new byte[] {1, 2, 3})));
    assertEquals(415, response.statusCode());
  }

  @Test
  void shouldServeTheOnlyModelToARequestThatNamesNone() {
    try (TestServer server = TestServer.start("", new Random(1), TestServer.TINY)) {
      assertEquals(200, server.post("/v1/completions", "{\"prompt\":\"Hi\"}").statusCode());
    }
  }

  private static HttpResponse<String> preflight(TestServer server, String origin) {
    return server.send(
        HttpRequest.newBuilder(server.uri("/v1/chat/completions"))
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", "authorization")
            .method("OPTIONS", BodyPublishers.noBody()));
  }

  private static String requestId(HttpResponse<String> response) {
    return response.headers().firstValue("X-Request-Id").orElseThrow();
  }
}
