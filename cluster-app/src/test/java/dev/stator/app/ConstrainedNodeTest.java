package dev.stator.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Answers of a form, from real weights over real HTTP, as clients of others ask for them. */
class ConstrainedNodeTest {
  private static final String SCHEMA =
      """
      {"type":"object","properties":{"name":{"type":"string","maxLength":12},
       "age":{"type":"integer","minimum":0,"maximum":120},"kind":{"enum":["fox","hen"]}},
       "required":["name","age","kind"],"additionalProperties":false}\
      """;
  private static final String GBNF =
      "root ::= (\\\"fox\\\" | \\\"hen\\\") (\\\", \\\" [0-9]{2}){2}";
  private static final List<String> HOW =
      List.of("\"temperature\":0", "\"temperature\":1,\"seed\":3,\"logprobs\":true");

  private static TestNode node;

  @BeforeAll
  static void start() {
    node = TestNode.start(0, 64, 1, Map.of());
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  @Test
  void shouldAnswerByASchema() throws Exception {
    for (String how : HOW) {
      final JsonNode answer =
          TestNode.parsed(
              chat(
                  "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"animal\","
                      + "\"strict\":true,\"schema\":"
                      + SCHEMA
                      + "}},\"max_tokens\":500,"
                      + how));
      assertEquals(3, answer.size(), answer.toString());
      assertTrue(answer.path("name").isTextual() && answer.path("name").asText().length() <= 12);
      final int age = answer.path("age").intValue();
      assertTrue(answer.path("age").isInt() && age >= 0 && age <= 120, answer.toString());
      assertTrue(List.of("fox", "hen").contains(answer.path("kind").asText()), answer.toString());
    }
  }

  @Test
  void shouldAnswerByEachOtherForm() throws Exception {
    for (String how : HOW) {
      assertTrue(
          List.of("certainly", "never, ever")
              .contains(chat("\"guided_choice\":[\"certainly\",\"never, ever\"]," + how)));
      final String date = chat("\"guided_regex\":\"\\\\d{4}-\\\\d{2}-\\\\d{2} é?\"," + how);
      assertTrue(date.matches("\\d{4}-\\d{2}-\\d{2} é?"), date);
      final String list = chat("\"guided_grammar\":\"" + GBNF + "\"," + how);
      assertTrue(list.matches("(fox|hen)(, \\d{2}){2}"), list);
      assertEquals(list, chat("\"grammar\":\"" + GBNF + "\"," + how), "same request, same bytes");
    }
  }

  @Test
  void shouldBeginAnObjectThatTheLimitCuts() throws Exception {
    final JsonNode choice =
        TestNode.parsed(
                post(
                    "/v1/chat/completions",
                    chatBody("\"max_tokens\":4,\"response_format\":{\"type\":\"json_object\"}")))
            .at("/choices/0");
    assertTrue(choice.at("/message/content").asText().startsWith("{"), choice.toString());
    final boolean isWhole = choice.at("/message/content").asText().endsWith("}");
    assertEquals(isWhole ? "stop" : "length", choice.path("finish_reason").asText());
  }

  @Test
  void shouldStreamAndCompleteByAForm() throws Exception {
    final String form = "\"guided_regex\":\"(ab|cd){3}\",\"temperature\":1,\"seed\":5";
    final StringBuilder streamed = new StringBuilder();
    post("/v1/chat/completions", chatBody(form + ",\"stream\":true"))
        .lines()
        .filter(line -> line.startsWith("data: {"))
        .map(line -> TestNode.parsed(line.substring("data: ".length())))
        .forEach(chunk -> streamed.append(chunk.at("/choices/0/delta/content").asText("")));
    assertTrue(streamed.toString().matches("(ab|cd){3}"), streamed.toString());
    assertEquals(chat(form), streamed.toString());
    final String completed =
        TestNode.parsed(post("/v1/completions", "{\"prompt\":\"Once\",\"n\":2," + form + "}"))
            .at("/choices/1/text")
            .asText();
    assertTrue(completed.matches("(ab|cd){3}"), completed);
  }

  private static String chat(String fields) throws Exception {
    final JsonNode choice =
        TestNode.parsed(post("/v1/chat/completions", chatBody(fields))).at("/choices/0");
    assertEquals("stop", choice.path("finish_reason").asText(), choice.toString());
    return choice.at("/message/content").asText();
  }

  private static String chatBody(String fields) {
    return "{\"messages\":[{\"role\":\"user\",\"content\":\"Tell me of an animal.\"}],"
        + fields
        + "}";
  }

  private static String post(String path, String body) throws Exception {
    final HttpResponse<String> response =
        node.client()
            .send(node.request(path, TestNode.parsed(body)), HttpResponse.BodyHandlers.ofString());
    assertEquals(200, response.statusCode(), response.body());
    return response.body();
  }
}
