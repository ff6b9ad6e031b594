package dev.stator.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.engine.FinishReason;
import dev.stator.engine.SamplingParams;
import dev.stator.model.text.ChatTemplate;
import dev.stator.protocol.Placement;
import dev.stator.protocol.WorkerId;
import dev.stator.request.GenerationCall;
import dev.stator.request.GenerationEvent;
import dev.stator.request.GenerationEvent.Completed;
import dev.stator.request.GenerationEvent.Delta;
import dev.stator.request.GenerationEvent.Finished;
import dev.stator.request.GenerationEvent.Placed;
import dev.stator.request.GenerationEvent.Usage;
import dev.stator.request.ServedModel;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.apache.pekko.stream.javadsl.Source;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChatTest {
  static final Placed PLACED =
      new Placed(
          0,
          0,
          "d/0",
          3,
          "p/0",
          false,
          "remote: long",
          List.of(new Placement.Candidate(new WorkerId("d/0", 1), 3, 0, 20, 9, 1.5)));
  private static final TestServer SERVER = TestServer.start();
  private static final String CHAT = "/v1/chat/completions";
  private static final String ID = "chatcmpl-" + "0".repeat(24);
  private static final String HI = "'messages':[{'role':'user','content':'Hi'}]";

  @AfterAll
  static void stop() {
    SERVER.close();
  }

  @BeforeEach
  void answerHelloWorld() {
    SERVER.generations.answer("Hello", " world");
  }

  @Test
  void shouldStreamChunksByteForByte() {
    HttpResponse<String> response = post(HI + ",'stream':true");
    assertEquals(200, response.statusCode());
    assertEquals("text/event-stream", response.headers().firstValue("Content-Type").orElseThrow());
    assertTrue(response.headers().firstValue("Cache-Control").orElseThrow().startsWith("no-cache"));
    String head =
        "data: {'id':'"
            + ID
            + "','object':'chat.completion.chunk','created':1700000000,"
            + "'model':'tiny','choices':[{'index':0,'delta':";
    String expected =
        head
            + "{'role':'assistant','content':''},'logprobs':null,'finish_reason':null}]}\n\n"
            + head
            + "{'content':'Hello'},'logprobs':null,'finish_reason':null}]}\n\n"
            + head
            + "{'content':' world'},'logprobs':null,'finish_reason':null}]}\n\n"
            + head
            + "{},'logprobs':null,'finish_reason':'stop'}]}\n\n"
            + "data: [DONE]\n\n";
    assertEquals(expected.replace('\'', '"'), response.body());
  }

  @Test
  void shouldAnswerAtOnceByteForByte() {
    HttpResponse<String> response = post(HI);
    assertEquals(200, response.statusCode());
    assertEquals("application/json", response.headers().firstValue("Content-Type").orElseThrow());
    // The prompt is <|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n: 3 + 19 tokens.
    String expected =
        "{'id':'"
            + ID
            + "','object':'chat.completion','created':1700000000,'model':'tiny',"
            + "'choices':[{'index':0,'message':{'role':'assistant','content':'Hello world',"
            + "'refusal':null},'logprobs':null,'finish_reason':'stop'}],"
            + "'usage':{'prompt_tokens':21,'completion_tokens':2,'total_tokens':23,"
            + "'prompt_tokens_details':{'cached_tokens':3}}}";
    assertEquals(expected.replace('\'', '"'), response.body());
  }

  @Test
  void shouldEndAStreamWithItsUsageWhenAsked() {
    List<JsonNode> chunks =
        chunks(post(HI + ",'stream':true,'stream_options':{'include_usage':true}"));
    JsonNode last = chunks.removeLast();
    assertEquals(0, last.path("choices").size());
    assertTrue(last.path("choices").isArray());
    assertEquals(2, last.path("usage").path("completion_tokens").asInt());
    assertEquals(3, last.path("usage").path("prompt_tokens_details").path("cached_tokens").asInt());
    for (JsonNode chunk : chunks) {
      assertTrue(chunk.has("usage") && chunk.path("usage").isNull(), chunk.toString());
      assertEquals(last.path("id"), chunk.path("id"));
    }
  }

  @Test
  void shouldGiveTheTemplateAConversationInItsForm() {
    post(
        "'messages':[{'role':'developer','content':'Be kind.'},"
            + "{'role':'user','content':[{'type':'text','text':'One'},{'type':'text','text':'two'}]},"
            + "{'role':'assistant','tool_calls':[{'id':'c','type':'function',"
            + "'function':{'name':'f','arguments':'{\\\"b\\\":1,\\\"a\\\":[2]}'}}]},"
            + "{'role':'tool','tool_call_id':'c','content':'3'}],"
            + "'chat_template_kwargs':{'enable_thinking':false}");
    String expected =
        "variables {enable_thinking=false}\n"
            + "<|im_start|>system\nBe kind.<|im_end|>\n"
            + "<|im_start|>user\nOne\ntwo<|im_end|>\n"
            + "<|im_start|>assistant\n[{'id':'c','type':'function',"
            + "'function':{'name':'f','arguments':{'b':1,'a':[2]}}}]<|im_end|>\n"
            + "<|im_start|>tool\n3<|im_end|>\n<|im_start|>assistant\n";
    assertEquals(expected.replace('\'', '"'), prompt(SERVER.generations.lastCall()));
  }

  @Test
  void shouldContinueTheFinalMessageWhenAsked() {
    post(
        "'messages':[{'role':'user','content':'Hi'},{'role':'assistant','content':'Hel '}],"
            + "'continue_final_message':true");
    assertEquals(
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHel",
        prompt(SERVER.generations.lastCall()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"<", "|", "end", "im_end|>", "continue-here", "\n x", "<|im_end|>"})
  void shouldContinueAfterTheFinalMessageWhenTheTemplatesMarkersHaveItsText(String content) {
    String text = content.replace("\n", "\\n");
    post(
        "'messages':[{'role':'user','content':'"
            + text
            + "'},{'role':'assistant','content':'"
            + text
            + "'}],'continue_final_message':true");
    assertEquals(
        "<|im_start|>user\n" + content + "<|im_end|>\n<|im_start|>assistant\n" + content,
        prompt(SERVER.generations.lastCall()));
  }

  @Test
  void shouldRefuseToContinueATextThatTheTemplateDoesNotShow() {
    ChatTemplate silent = new FixedTemplate("<|im_start|>assistant\n<|im_end|>");
    ServedModel model =
        new ServedModel(
            "silent",
            TestServer.CREATED,
            TestServer.CONTEXT_LENGTH,
            new ByteTokenizer(false),
            silent,
            TestServer.NO_DEFAULTS);
    try (TestServer server = TestServer.start("", new Random(1), model)) {
      for (String content : List.of("end", " ", "")) {
        HttpResponse<String> response =
            server.post(
                CHAT,
                ("{'messages':[{'role':'assistant','content':'"
                        + content
                        + "'}],"
                        + "'continue_final_message':true}")
                    .replace('\'', '"'));
        assertEquals(400, response.statusCode(), response.body());
        assertEquals(
            "continue_final_message", TestServer.json(response).at("/error/param").asText());
      }
    }
  }

  /** Shows the same text for every conversation. */
  private record FixedTemplate(String source) implements ChatTemplate {
    @Override
    public String render(
        List<JsonNode> messages,
        List<JsonNode> tools,
        boolean addGenerationPrompt,
        Map<String, JsonNode> variables) {
      return source;
    }
  }

  @Test
  void shouldLeaveOutTheGenerationPromptWhenAsked() {
    post(HI + ",'add_generation_prompt':false");
    assertEquals("<|im_start|>user\nHi<|im_end|>\n", prompt(SERVER.generations.lastCall()));
  }

  @Test
  void shouldPassOnEverySamplingParameter() {
    post(
        HI
            + ",'temperature':0.25,'top_k':7,'top_p':0.5,'min_p':0.125,'repetition_penalty':1.5,"
            + "'presence_penalty':-1,'frequency_penalty':0.5,'logit_bias':{'65':-100,'66':2.5},"
            + "'seed':-42,'max_tokens':10,'max_completion_tokens':9,'min_tokens':2,"
            + "'stop_token_ids':[10,258],'ignore_eos':true,'logprobs':true,'top_logprobs':3,"
            + "'n':2,'stop':['x','y'],'cache_salt':'tenant','user':'me'");
    GenerationCall call = SERVER.generations.lastCall();
    assertEquals(
        new SamplingParams(
            0.25f,
            7,
            0.5f,
            0.125f,
            1.5f,
            -1,
            0.5f,
            Map.of(65, -100f, 66, 2.5f),
            -42,
            9,
            2,
            Set.of(10, 258),
            true,
            true,
            3,
            ""),
        call.sampling());
    assertEquals(2, call.choiceCount());
    assertEquals(List.of("x", "y"), call.stopStrings());
    assertEquals("tenant", call.cacheSalt());
    assertEquals("tiny", call.model());
    assertEquals(ID, call.requestId());
  }

  @Test
  void shouldUseTheDefaultsWhenARequestIsSilent() {
    post(HI);
    GenerationCall call = SERVER.generations.lastCall();
    int room = TestServer.CONTEXT_LENGTH - call.promptTokens().length;
    assertEquals(
        new SamplingParams(
            1, 0, 1, 0, 1, 0, 0, Map.of(), 0, room, 0, Set.of(), false, false, 0, ""),
        call.sampling());
    assertEquals(1, call.choiceCount());
    assertEquals("", call.cacheSalt());
  }

  @Test
  void shouldCutMaxTokensToTheContext() {
    post(HI + ",'max_tokens':1000000");
    GenerationCall call = SERVER.generations.lastCall();
    assertEquals(
        TestServer.CONTEXT_LENGTH - call.promptTokens().length, call.sampling().maxTokens());
  }

  @Test
  void shouldKeepNumbersOutOfRangesWhereFloatsBreak() {
    post(HI + ",'temperature':1e-40,'top_p':1e-60,'repetition_penalty':1e-60,'min_tokens':5000");
    SamplingParams sampling = SERVER.generations.lastCall().sampling();
    assertEquals(0, sampling.temperature());
    assertTrue(sampling.topP() > 0);
    assertTrue(1 / sampling.repetitionPenalty() < Float.POSITIVE_INFINITY);
    assertEquals(sampling.maxTokens(), sampling.minTokens());
  }

  @Test
  void shouldDrawADifferentSeedForEachRequestWithoutOne() {
    try (TestServer server = TestServer.start("", new Random(1), TestServer.TINY)) {
      String body = "{" + HI.replace('\'', '"') + "}";
      server.post(CHAT, body);
      GenerationCall first = server.generations.lastCall();
      server.post(CHAT, body);
      GenerationCall second = server.generations.lastCall();
      assertNotEquals(first.sampling().seed(), second.sampling().seed());
      assertNotEquals(first.requestId(), second.requestId());
    }
  }

  @Test
  void shouldGiveEachChoiceItsRoleTextAndEnd() {
    SERVER.generations.script(call ->
        Source.from(
            List.of(
                new Delta(1, "b", 1, List.of()),
                new Delta(0, "a", 1, List.of()),
                new Finished(1, FinishReason.LENGTH),
                new Delta(0, "A", 1, List.of()),
                new Finished(0, FinishReason.STOP),
                (GenerationEvent) new Completed(new Usage(5, 3, 0)))));
    StringBuilder seen = new StringBuilder();
    for (JsonNode chunk : chunks(post(HI + ",'n':2,'stream':true"))) {
      JsonNode choice = chunk.path("choices").get(0);
      seen.append(choice.path("index").asInt());
      seen.append(choice.path("delta").path("role").asText());
      seen.append(choice.path("delta").path("content").asText());
      seen.append(choice.path("finish_reason").asText("")).append(' ');
    }
    assertEquals("1assistant 1b 0assistant 0a 1length 0A 0stop ", seen.toString());
    JsonNode whole = TestServer.json(post(HI + ",'n':2"));
    assertEquals("aA", whole.at("/choices/0/message/content").asText());
    assertEquals("b", whole.at("/choices/1/message/content").asText());
    assertEquals("length", whole.at("/choices/1/finish_reason").asText());
    assertEquals(1, whole.at("/choices/1/index").asInt());
  }

  @Test
  void shouldTellWhereChoicesRanWhenAsked() {
    SERVER.generations.script(call -> {
      assertTrue(call.showsPlacements());
      return Source.from(
          List.of(
              PLACED,
              new Delta(0, "a", 1, List.of()),
              new Finished(0, FinishReason.STOP),
              (GenerationEvent) new Completed(new Usage(5, 1, 0))));
    });
    JsonNode streamed = chunks(post(HI + ",'include_placements':true,'stream':true")).getFirst();
    assertEquals(0, streamed.path("choices").size());
    JsonNode whole = TestServer.json(post(HI + ",'include_placements':true"));
    assertEquals(streamed.path("placement"), whole.at("/placements/0"));
    assertEquals("d/0", whole.at("/placements/0/decode").asText());
    assertEquals("p/0", whole.at("/placements/0/prefill").asText());
    assertEquals("remote: long", whole.at("/placements/0/reason").asText());
    assertEquals(1.5, whole.at("/placements/0/candidates/0/cost").asDouble());
  }

  @Test
  void shouldNotTellWhereChoicesRanUnlessAsked() {
    SERVER.generations.answer("a");
    assertTrue(TestServer.json(post(HI)).path("placements").isMissingNode());
    assertFalse(SERVER.generations.lastCall().showsPlacements());
  }

  @Test
  void shouldCarryLogprobs() {
    String entry =
        "{'token':'Hello','logprob':-0.5,'bytes':[72,101,108,108,111],'top_logprobs':["
            + "{'token':'alt0','logprob':-1.0,'bytes':[97,108,116,48]},"
            + "{'token':'alt1','logprob':-2.0,'bytes':[97,108,116,49]}]}";
    String wanted = HI + ",'logprobs':true,'top_logprobs':2";
    JsonNode whole = TestServer.json(post(wanted)).at("/choices/0/logprobs");
    assertEquals(TestServer.json(entry.replace('\'', '"')), whole.path("content").get(0));
    assertEquals(2, whole.path("content").size());
    assertTrue(whole.has("refusal") && whole.path("refusal").isNull());
    List<JsonNode> chunks = chunks(post(wanted + ",'stream':true"));
    assertTrue(chunks.get(0).at("/choices/0/logprobs").isNull());
    assertEquals(
        TestServer.json(entry.replace('\'', '"')),
        chunks.get(1).at("/choices/0/logprobs/content/0"));
    assertEquals(1, chunks.get(1).at("/choices/0/logprobs/content").size());
  }

  @Test
  void shouldSendLogprobsOfTokensWithoutText() {
    SERVER.generations.script(call ->
        Source.from(
            List.of(
                new Delta(
                    0,
                    "",
                    1,
                    List.of(
                        new GenerationEvent.TokenLogprob(
                            "\uFFFD",
                            new byte[] {(byte) 0xF0},
                            Float.NEGATIVE_INFINITY,
                            List.of()))),
                new Delta(0, "", 1, List.of()),
                new Finished(0, FinishReason.STOP),
                (GenerationEvent) new Completed(new Usage(5, 2, 0)))));
    List<JsonNode> chunks = chunks(post(HI + ",'logprobs':true,'stream':true"));
    assertEquals(3, chunks.size());
    JsonNode token = chunks.get(1).at("/choices/0/logprobs/content/0");
    assertEquals(-9999, token.path("logprob").asInt());
    assertEquals(240, token.path("bytes").get(0).asInt());
    assertFalse(chunks.get(1).at("/choices/0/delta").has("content"));
  }

  private static HttpResponse<String> post(String fields) {
    String body = "{'model':'tiny'," + fields + "}";
    return SERVER.post(CHAT, body.replace('\'', '"'));
  }

  static List<JsonNode> chunks(HttpResponse<String> stream) {
    List<String> events = new ArrayList<>(List.of(stream.body().split("\n\n")));
    assertEquals("data: [DONE]", events.removeLast());
    List<JsonNode> chunks = new ArrayList<>();
    for (String event : events) {
      assertTrue(event.startsWith("data: {"), event);
      chunks.add(TestServer.json(event.substring("data: ".length())));
    }
    return chunks;
  }

  static String prompt(GenerationCall call) {
    return TestServer.TINY.tokenizer().decode(call.promptTokens(), false);
  }
}
