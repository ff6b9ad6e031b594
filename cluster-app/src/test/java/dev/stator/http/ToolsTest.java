package dev.stator.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.request.ServedModel;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tools in requests, calls of them in answers. */
class ToolsTest {
  private static final TestServer SERVER = TestServer.start();
  private static final String CHAT = "/v1/chat/completions";
  private static final String ID = "AAAAAAAAA"; // What a random generator of zeros makes.
  private static final String HI = "'messages':[{'role':'user','content':'Hi'}]";
  private static final String ONE_TOOL = "'tools':[" + tool("f") + "]";
  private static final String ONE_TOOL_AND_NONE =
      "'tools':[{'type':'function','function':{'name':'f'}}],'tool_choice':'none'";
  private static final String TWO_TOOLS = "'tools':[" + tool("f") + "," + tool("g") + "]";
  private static final String[] CALL_OF_F = {
    "<tool", "_call>{\"name\": \"f\", \"arguments\": ", "{\"a\":", " 1}}</tool_call>"
  };
  private static final String[] CALLS_OF_F_AND_G = {
    "Well: ",
    "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": 1}}</tool_call>\n",
    "<tool_call>{\"name\": \"g\", \"arguments\": {}}</tool_call>"
  };

  @AfterAll
  static void stop() {
    SERVER.close();
  }

  @Test
  void shouldAnswerWithACall() {
    SERVER.generations.answer(CALL_OF_F);
    JsonNode choice = choice(post(HI + "," + ONE_TOOL));
    assertEquals(
        TestServer.json(
            ("{'role':'assistant','content':null,'refusal':null,'tool_calls':[{'id':'"
                    + ID
                    + "',"
                    + "'type':'function','function':{'name':'f','arguments':'{\\'a\\': 1}'}}]}")
                .replace("\\'", "\\\"")
                .replace('\'', '"')),
        choice.path("message"));
    assertEquals("tool_calls", choice.path("finish_reason").asText());
    assertTrue(
        ChatTest.prompt(SERVER.generations.lastCall()).startsWith("tools [{\"type\":\"function\""));
  }

  @Test
  void shouldStreamACallInDeltas() {
    SERVER.generations.answer(CALL_OF_F);
    List<JsonNode> chunks = ChatTest.chunks(post(HI + "," + ONE_TOOL + ",'stream':true"));
    assertEquals("assistant", chunks.get(0).at("/choices/0/delta/role").asText());
    assertEquals(
        TestServer.json(
            "{\"tool_calls\":[{\"index\":0,\"id\":\""
                + ID
                + "\",\"type\":\"function\","
                + "\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]}"),
        chunks.get(1).at("/choices/0/delta"));
    StringBuilder arguments = new StringBuilder();
    for (JsonNode chunk : chunks.subList(2, chunks.size() - 1)) {
      JsonNode call = chunk.at("/choices/0/delta/tool_calls/0");
      assertEquals(2, call.size(), call.toString());
      assertEquals(0, call.path("index").asInt(-1));
      arguments.append(call.at("/function/arguments").asText());
    }
    assertEquals("{\"a\": 1}", arguments.toString());
    assertEquals("tool_calls", chunks.getLast().at("/choices/0/finish_reason").asText());
  }

  @Test
  void shouldKeepTextAndCallsApart() {
    SERVER.generations.answer(CALLS_OF_F_AND_G);
    JsonNode choice = choice(post(HI + "," + TWO_TOOLS));
    assertEquals("Well: ", choice.at("/message/content").asText());
    assertEquals(2, choice.at("/message/tool_calls").size());
    assertEquals("g", choice.at("/message/tool_calls/1/function/name").asText());
    assertEquals("{}", choice.at("/message/tool_calls/1/function/arguments").asText());
  }

  @Test
  void shouldAnswerWithOneCallWhenMoreAreNotWanted() {
    SERVER.generations.answer(CALLS_OF_F_AND_G);
    String request = HI + "," + TWO_TOOLS + ",'parallel_tool_calls':false";
    JsonNode calls = choice(post(request)).at("/message/tool_calls");
    assertEquals(1, calls.size());
    assertEquals("{\"a\": 1}", calls.at("/0/function/arguments").asText());
    HttpResponse<String> stream = post(request + ",'stream':true");
    assertFalse(stream.body().contains("\"name\":\"g\""), stream.body());
  }

  @Test
  void shouldSayThatACallWasCutOff() {
    SERVER.generations.answerCutOff(CALL_OF_F[0], CALL_OF_F[1], CALL_OF_F[2]);
    JsonNode choice = choice(post(HI + "," + ONE_TOOL));
    assertEquals("length", choice.path("finish_reason").asText());
    assertEquals("{\"a\":", choice.at("/message/tool_calls/0/function/arguments").asText());
  }

  @ParameterizedTest
  @ValueSource(strings = {"'tools':[]", ONE_TOOL_AND_NONE})
  void shouldTakeAllForTextWithoutTools(String tools) {
    SERVER.generations.answer(CALL_OF_F);
    JsonNode choice = choice(post(HI + "," + tools));
    assertEquals(String.join("", CALL_OF_F), choice.at("/message/content").asText());
    assertEquals("stop", choice.path("finish_reason").asText());
    assertFalse(ChatTest.prompt(SERVER.generations.lastCall()).contains("tools"));
  }

  @Test
  void shouldBeginTheCallThatMustBeMade() {
    String named = ",'tool_choice':" + tool("g");
    assertForced(TWO_TOOLS + named, "<tool_call>\n{\"name\": \"g\", \"arguments\":", "g", " {}}");
    assertForced(
        ONE_TOOL + ",'tool_choice':'required'",
        "<tool_call>\n{\"name\": \"f\", \"arguments\":",
        "f",
        " {}}\n</tool_call>");
    assertForced(
        TWO_TOOLS + ",'tool_choice':'required'",
        "<tool_call>\n{\"name\":",
        "g",
        " \"g\", \"arguments\": {}}\n</tool_call>");
  }

  @Test
  void shouldShowWhatTheModelWroteInsteadOfAForcedCall() {
    SERVER.generations.answer(" no, I will not");
    JsonNode choice = choice(post(HI + "," + TWO_TOOLS + ",'tool_choice':'required'"));
    assertEquals("<tool_call>\n{\"name\": no, I will not", choice.at("/message/content").asText());
    assertEquals("stop", choice.path("finish_reason").asText());
    List<JsonNode> chunks =
        ChatTest.chunks(post(HI + "," + TWO_TOOLS + ",'tool_choice':'required','stream':true"));
    StringBuilder text = new StringBuilder();
    chunks.forEach(chunk -> text.append(chunk.at("/choices/0/delta/content").asText()));
    assertEquals("<tool_call>\n{\"name\": no, I will not", text.toString());
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      delimiter = ';',
      value = {
        "<|python_tag|> {{ x }}; `{\"name\": \"f\", \"parameters\":`",
        "[TOOL_CALLS][; `[TOOL_CALLS][{\"name\": \"f\", \"arguments\":`",
        "[TOOL_CALLS] [ARGS]; `[TOOL_CALLS]f[ARGS]`"
      })
  void shouldForceACallInEachModelsForm(String template, String begin) {
    ServedModel model =
        new ServedModel(
            "m",
            0,
            200,
            new ByteTokenizer(false),
            new PlainTemplate(template),
            TestServer.NO_DEFAULTS);
    try (TestServer server = TestServer.start("", new Random(1), model)) {
      String end = begin.endsWith("[ARGS]") ? "" : "}";
      server.generations.answer(" {\"a\":", "1}", end);
      HttpResponse<String> response =
          server.post(
              CHAT, ("{" + HI + "," + ONE_TOOL + ",'tool_choice':'required'}").replace('\'', '"'));
      assertTrue(ChatTest.prompt(server.generations.lastCall()).endsWith("assistant\n" + begin));
      JsonNode function = choice(response).at("/message/tool_calls/0/function");
      assertEquals("f", function.path("name").asText(), response.body());
      assertEquals("{\"a\":1}", function.path("arguments").asText());
    }
  }

  @Test
  void shouldAskForSpecialTokensWhereCallsAreMarkedByThem() {
    SERVER.generations.answer("Hello");
    post(HI + "," + ONE_TOOL);
    assertFalse(SERVER.generations.lastCall().showsSpecialTokens());
    post(HI + ",'skip_special_tokens':false");
    assertTrue(SERVER.generations.lastCall().showsSpecialTokens());
    ServedModel model =
        new ServedModel(
            "m",
            0,
            200,
            new ByteTokenizer(false, "[TOOL_CALLS]"),
            new PlainTemplate("[TOOL_CALLS]"),
            TestServer.NO_DEFAULTS);
    try (TestServer server = TestServer.start("", new Random(1), model)) {
      server.post(CHAT, ("{" + HI + "," + ONE_TOOL + "}").replace('\'', '"'));
      assertTrue(server.generations.lastCall().showsSpecialTokens());
      server.post(CHAT, ("{" + HI + "}").replace('\'', '"'));
      assertFalse(server.generations.lastCall().showsSpecialTokens());
    }
  }

  @Test
  void shouldRefuseToForceWhatCannotBeForced() {
    ServedModel model =
        new ServedModel(
            "m",
            0,
            200,
            new ByteTokenizer(false),
            new PlainTemplate("{{ messages }}"),
            TestServer.NO_DEFAULTS);
    try (TestServer server = TestServer.start("", new Random(1), model)) {
      String request = "{" + HI + "," + ONE_TOOL;
      HttpResponse<String> forced =
          server.post(CHAT, (request + ",'tool_choice':'required'}").replace('\'', '"'));
      assertEquals(400, forced.statusCode());
      assertEquals("tool_choice", TestServer.json(forced).at("/error/param").asText());
      HttpResponse<String> auto = server.post(CHAT, (request + "}").replace('\'', '"'));
      assertEquals("Hello world", choice(auto).at("/message/content").asText());
    }
    HttpResponse<String> continued =
        post(HI + "," + ONE_TOOL + ",'tool_choice':'required','continue_final_message':true");
    assertEquals(400, continued.statusCode());
    assertEquals("tool_choice", TestServer.json(continued).at("/error/param").asText());
  }

  private static void assertForced(String tools, String begin, String name, String answer) {
    SERVER.generations.answer(answer);
    JsonNode choice = choice(post(HI + "," + tools));
    assertTrue(ChatTest.prompt(SERVER.generations.lastCall()).endsWith("assistant\n" + begin));
    assertEquals("tool_calls", choice.path("finish_reason").asText(), choice.toString());
    assertEquals(name, choice.at("/message/tool_calls/0/function/name").asText());
    assertEquals("{}", choice.at("/message/tool_calls/0/function/arguments").asText());
  }

  private static JsonNode choice(HttpResponse<String> response) {
    assertEquals(200, response.statusCode(), response.body());
    return TestServer.json(response).at("/choices/0");
  }

  private static HttpResponse<String> post(String fields) {
    return SERVER.post(CHAT, ("{'model':'tiny'," + fields + "}").replace('\'', '"'));
  }

  private static String tool(String name) {
    return "{'type':'function','function':{'name':'" + name + "'}}";
  }
}
