package dev.stator.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.model.grammar.Constraint;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The fields that say what an answer must look like, and what the engine gets of them. */
class AnswerFormTest {
  private static final TestServer SERVER = TestServer.start();
  private static final String CHAT = "'model':'tiny','messages':[{'role':'user','content':'Hi'}],";
  private static final String TOOL =
      "'tools':[{'type':'function','function':{'name':'f','parameters':"
          + "{'type':'object','properties':{'a':{'type':'integer'}},'required':['a']}}}],";

  @AfterAll
  static void stop() {
    SERVER.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '@',
      quoteCharacter = '`',
      value = {
        "'response_format':{'type':'text'} @",
        "'grammar':'' @",
        "'response_format':{'type':'json_object'} @ {'schema':'{*type*:*object*}'}",
        "'response_format':{'type':'json_schema','json_schema':{'name':'n','strict':true,"
            + "'schema':{'type':'null'}}} @ {'schema':'{*type*:*null*}'}",
        "'guided_json':{'type':'null'} @ {'schema':'{*type*:*null*}'}",
        "'guided_json':'true' @ {'schema':'true'}",
        "'guided_regex':'[a-z]+','guided_decoding_backend':'x' @ {'regex':'[a-z]+'}",
        "'guided_choice':['a','b c'] @ {'one':[{'text':'a'},{'text':'b c'}]}",
        "'guided_grammar':'root ::= [ab]' @ {'gbnf':'root ::= [ab]'}",
        "'grammar':'root ::= [ab]' @ {'gbnf':'root ::= [ab]'}",
        "'structured_outputs':{'choice':['a']} @ {'one':[{'text':'a'}]}",
        "'structured_outputs':{'json_object':true} @ {'schema':'{*type*:*object*}'}"
      })
  void shouldTellTheEngineWhatAnAnswerMustBe(String field, String constraint) {
    String expected = constraint == null ? "" : constraint.replace('\'', '"').replace("*", "\\\"");
    for (String path : List.of("/v1/chat/completions", "/v1/completions")) {
      boolean isChat = path.contains("chat");
      HttpResponse<String> response =
          post(path, isChat ? CHAT + field : "'model':'tiny','prompt':'Hi'," + field);
      assertEquals(200, response.statusCode(), response.body());
      assertEquals(expected, SERVER.generations.lastCall().sampling().constraint());
    }
  }

  @Test
  void shouldForceCallsWithArgumentsOfTheToolsSchema() {
    SERVER.generations.answer(" {\"a\": 1}}\n</tool_call>");
    post("/v1/chat/completions", CHAT + TOOL + "'tool_choice':'required'");
    String several = SERVER.generations.lastCall().sampling().constraint();
    assertTrue(several.contains("</tool_call>") && several.contains("integer"), several);
    assertTrue(several.contains("\"any\""), "further calls may follow");
    post(
        "/v1/chat/completions",
        CHAT + TOOL + "'tool_choice':'required','parallel_tool_calls':false");
    String one = SERVER.generations.lastCall().sampling().constraint();
    assertTrue(Constraint.ofText(one) instanceof Constraint.Sequence, one);
    assertEquals(-1, one.indexOf("\"any\""), one);
    post("/v1/chat/completions", CHAT + TOOL + "'tool_choice':'auto'");
    assertEquals("", SERVER.generations.lastCall().sampling().constraint());
  }

  @Test
  void shouldNameATooCleverToolOrAnAnswerOfTwoForms() {
    JsonNode error =
        error(CHAT + TOOL.replace("'integer'", "'integer','not':{}") + "'tool_choice':'required'");
    assertEquals("tools", error.path("param").asText());
    assertTrue(error.path("message").asText().contains("/properties/a/not"), error.toString());
    assertEquals("guided_regex", error(CHAT + TOOL + "'guided_regex':'a'").path("param").asText());
  }

  private static JsonNode error(String body) {
    HttpResponse<String> response = post("/v1/chat/completions", body);
    assertEquals(400, response.statusCode(), response.body());
    return TestServer.json(response).path("error");
  }

  private static HttpResponse<String> post(String path, String body) {
    return SERVER.post(path, "{" + body.replace('\'', '"') + "}");
  }
}
