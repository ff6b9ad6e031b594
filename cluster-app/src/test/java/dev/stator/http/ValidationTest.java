package dev.stator.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each wrong request costs nothing and gets a sentence that names the parameter. */
class ValidationTest {
  private static final TestServer SERVER =
      TestServer.start(
          "limits { messages-max = 3, tools-max = 2, stop-strings-max = 2, stop-token-ids-max = 2,"
              + " logit-bias-max = 2, prompts-max = 2, choices-max = 4,"
              + " stop-string-characters-max = 5, prompt-characters-max = 1000 }");
  private static final String CHAT = "/v1/chat/completions";
  private static final String COMPLETIONS = "/v1/completions";

  @AfterAll
  static void stop() {
    SERVER.close();
  }

  /** Fields of a request to both APIs; the parameter at fault; its code. */
  static Stream<String[]> samplingFaults() {
    return Stream.of(
        fault("'model': 5", "model", "invalid_type"),
        fault("'stream': 'yes'", "stream", "invalid_type"),
        fault("'stream': 1", "stream", "invalid_type"),
        fault("'stream_options': {'include_usage': true}", "stream_options", "invalid_value"),
        fault("'stream': true, 'stream_options': 1", "stream_options", "invalid_type"),
        fault(
            "'stream': true, 'stream_options': {'include_usage': 'x'}",
            "stream_options.include_usage",
            "invalid_type"),
        fault("'n': 0", "n", "invalid_value"),
        fault("'n': 5", "n", "invalid_value"),
        fault("'n': 1.5", "n", "invalid_type"),
        fault("'n': '2'", "n", "invalid_type"),
        fault("'n': 99999999999999999999", "n", "invalid_value"),
        fault("'user': 7", "user", "invalid_type"),
        fault("'temperature': -0.1", "temperature", "invalid_value"),
        fault("'temperature': 2.1", "temperature", "invalid_value"),
        fault("'temperature': 1e999", "temperature", "invalid_value"),
        fault("'temperature': '1'", "temperature", "invalid_type"),
        fault("'temperature': [1]", "temperature", "invalid_type"),
        fault("'top_p': 0", "top_p", "invalid_value"),
        fault("'top_p': 1.01", "top_p", "invalid_value"),
        fault("'top_p': true", "top_p", "invalid_type"),
        fault("'min_p': -1", "min_p", "invalid_value"),
        fault("'min_p': 2", "min_p", "invalid_value"),
        fault("'top_k': -2", "top_k", "invalid_value"),
        fault("'top_k': 0.5", "top_k", "invalid_type"),
        fault("'repetition_penalty': 0", "repetition_penalty", "invalid_value"),
        fault("'presence_penalty': 2.5", "presence_penalty", "invalid_value"),
        fault("'frequency_penalty': -3", "frequency_penalty", "invalid_value"),
        fault("'frequency_penalty': {}", "frequency_penalty", "invalid_type"),
        fault("'seed': 1.5", "seed", "invalid_type"),
        fault("'seed': 9223372036854775808", "seed", "invalid_value"),
        fault("'max_tokens': 0", "max_tokens", "invalid_value"),
        fault("'max_tokens': -1", "max_tokens", "invalid_value"),
        fault("'max_tokens': '5'", "max_tokens", "invalid_type"),
        fault("'min_tokens': -1", "min_tokens", "invalid_value"),
        fault("'min_tokens': 6, 'max_tokens': 5", "min_tokens", "invalid_value"),
        fault("'ignore_eos': 1", "ignore_eos", "invalid_type"));
  }

  /** As above. */
  static Stream<String[]> optionFaults() {
    return Stream.of(
        fault("'stop': 5", "stop", "invalid_type"),
        fault("'stop': ''", "stop", "invalid_value"),
        fault("'stop': 'toolong'", "stop", "invalid_value"),
        fault("'stop': ['a','b','c']", "stop", "array_above_max_length"),
        fault("'stop': ['a', 5]", "stop[1]", "invalid_type"),
        fault("'stop_token_ids': 5", "stop_token_ids", "invalid_type"),
        fault("'stop_token_ids': [1,2,3]", "stop_token_ids", "array_above_max_length"),
        fault("'stop_token_ids': [1, 259]", "stop_token_ids[1]", "invalid_value"),
        fault("'stop_token_ids': ['a']", "stop_token_ids[0]", "invalid_type"),
        fault("'logit_bias': []", "logit_bias", "invalid_type"),
        fault("'logit_bias': {'x': 1}", "logit_bias", "invalid_value"),
        fault("'logit_bias': {'-1': 1}", "logit_bias", "invalid_value"),
        fault("'logit_bias': {'259': 1}", "logit_bias", "invalid_value"),
        fault("'logit_bias': {'5': 101}", "logit_bias.5", "invalid_value"),
        fault("'logit_bias': {'5': '1'}", "logit_bias.5", "invalid_type"),
        fault("'logit_bias': {'1':1,'2':1,'3':1}", "logit_bias", "array_above_max_length"),
        fault("'cache_salt': 5", "cache_salt", "invalid_type"),
        fault("'cache_salt': '" + "x".repeat(257) + "'", "cache_salt", "invalid_value"),
        fault("'response_format': 'json'", "response_format", "invalid_type"),
        fault("'response_format': {}", "response_format.type", "missing_required_parameter"),
        fault("'response_format': {'type':'xml'}", "response_format.type", "invalid_value"),
        fault(
            "'response_format': {'type':'json_schema'}",
            "response_format.json_schema",
            "missing_required_parameter"),
        fault(
            "'response_format': {'type':'json_schema','json_schema':{'name':'n'}}",
            "response_format.json_schema.schema",
            "missing_required_parameter"),
        fault(
            "'response_format': {'type':'json_schema','json_schema':{'name':'n',"
                + "'schema':{'type':'object','properties':{'a':{'not':{}}}}}}",
            "response_format.json_schema.schema",
            "invalid_grammar"),
        fault("'guided_json': {'type':'frob'}", "guided_json", "invalid_grammar"),
        fault("'guided_regex': '(a'", "guided_regex", "invalid_grammar"),
        fault("'guided_regex': 'a{100000}'", "guided_regex", "invalid_grammar"),
        fault("'guided_regex': 5", "guided_regex", "invalid_type"),
        fault("'guided_choice': []", "guided_choice", "empty_array"),
        fault("'guided_choice': ['a',1]", "guided_choice[1]", "invalid_type"),
        fault("'guided_choice': 'a'", "guided_choice", "invalid_type"),
        fault("'guided_grammar': 'root ::= root'", "guided_grammar", "invalid_grammar"),
        fault("'grammar': 'x'", "grammar", "invalid_grammar"),
        fault("'grammar': 'root ::= x'", "grammar", "invalid_grammar"),
        fault("'structured_outputs': {'regex':'['}", "structured_outputs.regex", "invalid_grammar"),
        fault("'structured_outputs': {'xml':1}", "structured_outputs.xml", "unsupported_parameter"),
        fault("'guided_regex': 'a', 'guided_choice': ['b']", "guided_choice", "invalid_value"),
        fault(
            "'guided_whitespace_pattern': ' '",
            "guided_whitespace_pattern",
            "unsupported_parameter"),
        fault("'prompt_logprobs': 1", "prompt_logprobs", "unsupported_parameter"),
        fault("'use_beam_search': true", "use_beam_search", "unsupported_parameter"));
  }

  static Stream<String[]> messageFaults() {
    return Stream.of(
        fault("'messages': null", "messages", "missing_required_parameter"),
        fault("'messages': []", "messages", "empty_array"),
        fault("'messages': 'Hi'", "messages", "invalid_type"),
        fault("'messages': ['Hi']", "messages[0]", "invalid_type"),
        fault("'messages': [{}]", "messages[0].role", "missing_required_parameter"),
        messageFault("'role':'king','content':'x'", "role", "invalid_value"),
        messageFault("'role':5,'content':'x'", "role", "invalid_type"),
        messageFault("'role':'user'", "content", "missing_required_parameter"),
        messageFault("'role':'user','content':null", "content", "missing_required_parameter"),
        messageFault("'role':'user','content':5", "content", "invalid_type"),
        messageFault("'role':'user','content':[]", "content", "empty_array"),
        messageFault("'role':'user','content':['x']", "content[0]", "invalid_type"),
        messageFault(
            "'role':'user','content':[{'text':'x'}]",
            "content[0].type",
            "missing_required_parameter"),
        messageFault(
            "'role':'user','content':[{'type':'text'}]",
            "content[0].text",
            "missing_required_parameter"),
        messageFault(
            "'role':'user','content':[{'type':'image_url','image_url':{'url':'x'}}]",
            "content[0].type",
            "unsupported_parameter"),
        messageFault("'role':'user','content':'x','name':5", "name", "invalid_type"),
        messageFault("'role':'tool','content':'x'", "tool_call_id", "missing_required_parameter"),
        messageFault("'role':'assistant'", "content", "missing_required_parameter"),
        messageFault("'role':'assistant','tool_calls':5", "tool_calls", "invalid_type"),
        messageFault("'role':'assistant','tool_calls':[5]", "tool_calls[0]", "invalid_type"),
        messageFault(
            "'role':'assistant','tool_calls':[{'id':'a'}]",
            "tool_calls[0].function",
            "missing_required_parameter"),
        messageFault(
            "'role':'assistant','tool_calls':[{'id':'a','type':'x'}]",
            "tool_calls[0].type",
            "invalid_value"),
        messageFault(
            "'role':'assistant','tool_calls':[{'id':'a','function':{'name':'f','arguments':'{'}}]",
            "tool_calls[0].function.arguments",
            "invalid_json"),
        messageFault(
            "'role':'assistant','tool_calls':[{'id':'a','function':{'name':'f','arguments':'[]'}}]",
            "tool_calls[0].function.arguments",
            "invalid_type"),
        fault(
            "'messages': [" + "{'role':'user','content':'x'},".repeat(3) + "{}]",
            "messages",
            "array_above_max_length"));
  }

  static Stream<String[]> chatFaults() {
    return Stream.of(
        fault("'logprobs': 5", "logprobs", "invalid_type"),
        fault("'top_logprobs': 3", "top_logprobs", "invalid_value"),
        fault("'logprobs': true, 'top_logprobs': 21", "top_logprobs", "invalid_value"),
        fault("'max_completion_tokens': 0", "max_completion_tokens", "invalid_value"),
        fault("'tools': {}", "tools", "invalid_type"),
        fault("'tools': [5]", "tools[0]", "invalid_type"),
        fault("'tools': [{}]", "tools[0].type", "missing_required_parameter"),
        fault("'tools': [{'type':'retrieval'}]", "tools[0].type", "invalid_value"),
        fault("'tools': [{'type':'function'}]", "tools[0].function", "missing_required_parameter"),
        fault(
            "'tools': [{'type':'function','function':{}}]",
            "tools[0].function.name",
            "missing_required_parameter"),
        fault("'tools': [" + tool("a b") + "]", "tools[0].function.name", "invalid_value"),
        fault(
            "'tools': [" + tool("f") + "," + tool("f") + "]",
            "tools[1].function.name",
            "invalid_value"),
        fault(
            "'tools': [{'type':'function','function':{'name':'f','parameters':5}}]",
            "tools[0].function.parameters",
            "invalid_type"),
        fault(
            "'tools': [" + tool("a") + "," + tool("b") + "," + tool("c") + "]",
            "tools",
            "array_above_max_length"),
        fault("'tool_choice': 5", "tool_choice", "invalid_type"),
        fault("'tool_choice': 'always'", "tool_choice", "invalid_value"),
        fault("'tool_choice': 'required'", "tools", "missing_required_parameter"),
        fault(
            "'tools': [" + tool("f") + "], 'tool_choice': " + tool("g"),
            "tool_choice.function.name",
            "invalid_value"),
        fault("'parallel_tool_calls': 'no'", "parallel_tool_calls", "invalid_type"),
        fault("'functions': []", "functions", "unsupported_parameter"),
        fault("'function_call': 'auto'", "function_call", "unsupported_parameter"),
        fault("'chat_template_kwargs': 5", "chat_template_kwargs", "invalid_type"),
        fault("'add_generation_prompt': 5", "add_generation_prompt", "invalid_type"),
        fault(
            "'continue_final_message': true, 'add_generation_prompt': true",
            "continue_final_message",
            "invalid_value"),
        fault(
            "'messages': [{'role':'tool','content':'x','tool_call_id':'a'}]",
            "messages",
            "invalid_value"),
        fault("'model': 'org/base'", "messages", "unsupported_parameter"));
  }

  static Stream<String[]> completionFaults() {
    return Stream.of(
        fault("'prompt': null", "prompt", "missing_required_parameter"),
        fault("'prompt': 5", "prompt", "invalid_type"),
        fault("'prompt': {}", "prompt", "invalid_type"),
        fault("'prompt': []", "prompt", "empty_array"),
        fault("'prompt': [true]", "prompt[0]", "invalid_type"),
        fault("'prompt': [1, 'x']", "prompt[1]", "invalid_type"),
        fault("'prompt': [1, 259]", "prompt[1]", "invalid_value"),
        fault("'prompt': [[1, -1]]", "prompt[0][1]", "invalid_value"),
        fault("'prompt': [[]]", "prompt[0]", "invalid_value"),
        fault("'prompt': ['a', []]", "prompt[1]", "invalid_value"),
        fault("'prompt': ['a','b','c']", "prompt", "array_above_max_length"),
        fault("'model': 'org/base', 'prompt': ''", "prompt", "invalid_value"),
        fault("'suffix': 'x'", "suffix", "unsupported_parameter"),
        fault("'best_of': 2", "best_of", "invalid_value"),
        fault("'logprobs': 21", "logprobs", "invalid_value"),
        fault("'logprobs': true", "logprobs", "invalid_type"),
        fault("'echo': 'x'", "echo", "invalid_type"),
        fault("'echo': true, 'logprobs': 1", "echo", "unsupported_parameter"),
        fault("'prompt': '" + "x".repeat(1001) + "'", "prompt", "string_above_max_length"));
  }

  @ParameterizedTest
  @MethodSource({"samplingFaults", "optionFaults", "messageFaults", "chatFaults"})
  void shouldNameTheFaultOfAChat(String fields, String param, String code) {
    String base = "'messages': [{'role':'user','content':'Hi'}]";
    assertRefused(CHAT, withBase(fields, base, "messages"), param, code);
  }

  @ParameterizedTest
  @MethodSource({"samplingFaults", "optionFaults", "completionFaults"})
  void shouldNameTheFaultOfACompletion(String fields, String param, String code) {
    assertRefused(COMPLETIONS, withBase(fields, "'prompt': 'Hi'", "prompt"), param, code);
  }

  @Test
  void shouldSayWhatWasFoundAndWhatWasExpected() {
    HttpResponse<String> response =
        SERVER.post(COMPLETIONS, json("{'model':'tiny','prompt':'Hi','temperature':3}"));
    assertEquals(
        json("{'error':{'message':'~temperature~ must be between 0 and 2, but is 3.',"
                + "'type':'invalid_request_error','param':'temperature','code':'invalid_value'}}")
            .replace('~', '\''),
        response.body());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "   ",
        "[]",
        "5",
        "null",
        "{",
        "{'prompt':}",
        "{'prompt':'Hi'",
        "{'prompt':'Hi'} {}",
        "{'prompt':'Hi','prompt':'Ho'}",
        "{'prompt':NaN}",
        "{'prompt':'\\ud83'}",
        "{prompt:'Hi'}"
      })
  void shouldRefuseWhatIsNotAnObject(String body) {
    HttpResponse<String> response = SERVER.post(COMPLETIONS, json(body));
    assertEquals(400, response.statusCode());
    JsonNode error = TestServer.json(response).path("error");
    assertEquals("invalid_json", error.path("code").asText(), response.body());
    assertFalse(error.path("message").asText().contains("Source"), response.body());
    assertFalse(error.path("message").asText().contains("`"), response.body());
  }

  @Test
  void shouldSayWhereMalformedJsonBreaks() {
    HttpResponse<String> response = SERVER.post(COMPLETIONS, "{\"prompt\": \"Hi\",\n \"n\": x}");
    String message = TestServer.json(response).path("error").path("message").asText();
    assertTrue(message.contains("at line 2, column 7"), message);
  }

  @Test
  void shouldSurviveDepthLengthAndSize() {
    String deep = "{\"prompt\":" + "[".repeat(5000) + "]".repeat(5000) + "}";
    String longNumber = "{\"prompt\":\"Hi\",\"seed\":" + "9".repeat(100_000) + "}";
    String hugeExponent = "{\"prompt\":\"Hi\",\"temperature\":1e" + "9".repeat(90) + "}";
    String longName = "{\"" + "n".repeat(100_000) + "\":1}";
    for (String body : new String[] {deep, longNumber, hugeExponent, longName}) {
      HttpResponse<String> response = SERVER.post(COMPLETIONS, body);
      assertEquals(400, response.statusCode(), body.substring(0, 40));
    }
  }

  @Test
  void shouldNotFailAtHalfASurrogate() {
    String half = "\\ud83d";
    HttpResponse<String> role =
        SERVER.post(
            CHAT,
            "{\"messages\":[{\"role\":\"" + half + "\",\"content\":\"x\"}],\"model\":\"tiny\"}");
    assertEquals(400, role.statusCode());
    HttpResponse<String> echo =
        SERVER.post(COMPLETIONS, "{\"model\":\"tiny\",\"echo\":true,\"prompt\":\"a" + half + "\"}");
    assertEquals(200, echo.statusCode());
    assertTrue(echo.body().contains("a\uFFFDHello"), echo.body());
  }

  @Test
  void shouldTellTheNumbersWhenThePromptIsTooLong() {
    int tokenCount = TestServer.CONTEXT_LENGTH;
    String prompt = "x".repeat(tokenCount - 1); // And the begin token.
    HttpResponse<String> refused =
        SERVER.post(COMPLETIONS, "{\"model\":\"tiny\",\"prompt\":\"" + prompt + "\"}");
    assertEquals(400, refused.statusCode());
    JsonNode error = TestServer.json(refused).path("error");
    assertEquals("context_length_exceeded", error.path("code").asText());
    assertEquals("prompt", error.path("param").asText());
    assertTrue(error.path("message").asText().contains(tokenCount + " tokens"));
    String shorter = prompt.substring(1);
    HttpResponse<String> taken =
        SERVER.post(COMPLETIONS, "{\"model\":\"tiny\",\"prompt\":\"" + shorter + "\"}");
    assertEquals(200, taken.statusCode());
    assertEquals(1, SERVER.generations.lastCall().sampling().maxTokens());
  }

  @ParameterizedTest
  @CsvSource({"/v1/chat/completions", "/v1/completions", "/tokenize", "/detokenize"})
  void shouldSayThatAModelIsUnknown(String path) {
    HttpResponse<String> response =
        SERVER.post(path, json("{'model':'gpt-17','prompt':'x','messages':[],'tokens':[]}"));
    assertEquals(404, response.statusCode());
    JsonNode error = TestServer.json(response).path("error");
    assertEquals("model_not_found", error.path("code").asText());
    assertEquals("model", error.path("param").asText());
    assertTrue(error.path("message").asText().contains("'gpt-17'"));
  }

  @Test
  void shouldWantAModelWhenSeveralAreServed() {
    HttpResponse<String> response = SERVER.post(COMPLETIONS, json("{'prompt':'x'}"));
    assertEquals(400, response.statusCode());
    assertEquals("model", TestServer.json(response).path("error").path("param").asText());
  }

  @Test
  void shouldIgnoreUnknownFieldsNullsAndTheContentType() {
    String body =
        json(
            "{'model':'tiny','prompt':'Hi','wings':2,'stop':null,'n':null,'temperature':null,"
                + "'logit_bias':null,'stream':null,'metadata':{'a':'b'},'service_tier':'auto'}");
    HttpResponse<String> response =
        SERVER.send(
            HttpRequest.newBuilder(SERVER.uri(COMPLETIONS))
                .header("Content-Type", "text/plain")
                .POST(BodyPublishers.ofString(body)));
    assertEquals(200, response.statusCode(), response.body());
  }

  @Test
  void shouldAskNothingOfTheEnginesForAFault() {
    int before = SERVER.generations.calls.size();
    IntStream.range(0, 5)
        .forEach(round -> SERVER.post(COMPLETIONS, json("{'model':'tiny','prompt':'Hi','n':0}")));
    assertEquals(before, SERVER.generations.calls.size());
  }

  private static void assertRefused(String path, String body, String param, String code) {
    HttpResponse<String> response = SERVER.post(path, body);
    assertEquals(400, response.statusCode(), response.body());
    JsonNode error = TestServer.json(response).path("error");
    assertEquals(param, error.path("param").asText(), response.body());
    assertEquals(code, error.path("code").asText(), response.body());
    assertEquals("invalid_request_error", error.path("type").asText(), response.body());
    assertTrue(
        error.path("message").asText().matches("(?s)[A-Z'].*\\."), error.path("message").asText());
  }

  /** The fields, with what else a request needs unless they bring it themselves. */
  private static String withBase(String fields, String base, String baseName) {
    StringBuilder body = new StringBuilder("{").append(fields);
    if (!fields.contains("'model'")) body.append(",'model':'tiny'");
    if (!fields.startsWith("'" + baseName + "'") && !fields.contains(", '" + baseName + "'")) {
      body.append(",").append(base);
    }
    return json(body.append("}").toString());
  }

  private static String[] fault(String fields, String param, String code) {
    return new String[] {fields, param, code};
  }

  private static String[] messageFault(String fields, String field, String code) {
    String good = "{'role':'user','content':'Hi'}";
    return fault("'messages': [" + good + ",{" + fields + "}]", "messages[1]." + field, code);
  }

  private static String tool(String name) {
    return "{'type':'function','function':{'name':'" + name + "'}}";
  }

  private static String json(String singleQuoted) {
    return singleQuoted.replace('\'', '"');
  }
}
