package dev.stator.http;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.engine.FinishReason;
import dev.stator.request.GenerationCall;
import dev.stator.request.GenerationEvent;
import dev.stator.request.GenerationEvent.Completed;
import dev.stator.request.GenerationEvent.Delta;
import dev.stator.request.GenerationEvent.Failed;
import dev.stator.request.GenerationEvent.Finished;
import dev.stator.request.GenerationEvent.TokenLogprob;
import dev.stator.request.GenerationEvent.Usage;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.stream.javadsl.Source;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CompletionTest {
  private static final TestServer SERVER = TestServer.start();
  private static final String ID = "cmpl-" + "0".repeat(24);

  @AfterAll
  static void stop() {
    SERVER.close();
  }

  @BeforeEach
  void answerHelloWorld() {
    SERVER.generations.answer("Hello", " world");
  }

  @Test
  void shouldTellWhereChoicesRanWhenAsked() {
    SERVER.generations.script(call ->
        Source.from(
            List.of(
                ChatTest.PLACED,
                new Finished(0, FinishReason.STOP),
                (GenerationEvent) new Completed(new Usage(1, 1, 0)))));
    JsonNode whole = TestServer.json(post("'prompt':['Hi','Ho'],'include_placements':true"));
    assertEquals(2, whole.path("placements").size());
    assertEquals(
        1, whole.at("/placements/1/index").asInt() + whole.at("/placements/0/index").asInt());
    JsonNode chunk =
        ChatTest.chunks(post("'prompt':'Hi','include_placements':true,'stream':true")).getFirst();
    assertEquals(whole.at("/placements/0/decode"), chunk.at("/placement/decode"));
  }

  @Test
  void shouldStreamChunksByteForByte() {
    String head =
        "data: {'id':'"
            + ID
            + "','object':'text_completion','created':1700000000,'model':'tiny',"
            + "'choices':";
    String expected =
        head
            + "[{'index':0,'text':'Hello','logprobs':null,'finish_reason':null}],'usage':null}\n\n"
            + head
            + "[{'index':0,'text':' world','logprobs':null,'finish_reason':null}],'usage':null}\n\n"
            + head
            + "[{'index':0,'text':'','logprobs':null,'finish_reason':'stop'}],'usage':null}\n\n"
            + head
            + "[],'usage':{'prompt_tokens':3,'completion_tokens':2,'total_tokens':5,"
            + "'prompt_tokens_details':{'cached_tokens':3}}}\n\n"
            + "data: [DONE]\n\n";
    String body =
        post("'prompt':'Hi','stream':true,'stream_options':{'include_usage':true}").body();
    assertEquals(expected.replace('\'', '"'), body);
  }

  @Test
  void shouldAnswerAtOnceByteForByte() {
    String expected =
        "{'id':'"
            + ID
            + "','object':'text_completion','created':1700000000,'model':'tiny',"
            + "'choices':[{'index':0,'text':'Hello world','logprobs':null,'finish_reason':'stop'}],"
            + "'usage':{'prompt_tokens':3,'completion_tokens':2,'total_tokens':5,"
            + "'prompt_tokens_details':{'cached_tokens':3}}}";
    assertEquals(expected.replace('\'', '"'), post("'prompt':'Hi'").body());
  }

  @Test
  void shouldTakeAPromptInEveryForm() {
    post("'prompt':'Hi'");
    assertArrayEquals(new int[] {256, 'H', 'i'}, SERVER.generations.lastCall().promptTokens());
    post("'prompt':'<|begin|>Hi'");
    assertArrayEquals(new int[] {256, 'H', 'i'}, SERVER.generations.lastCall().promptTokens());
    post("'prompt':''");
    assertArrayEquals(new int[] {256}, SERVER.generations.lastCall().promptTokens());
    post("'prompt':[72,105]");
    assertArrayEquals(new int[] {'H', 'i'}, SERVER.generations.lastCall().promptTokens());
    post("'prompt':['Hi']");
    assertArrayEquals(new int[] {256, 'H', 'i'}, SERVER.generations.lastCall().promptTokens());
    post("'prompt':[[72,105]]");
    assertArrayEquals(new int[] {'H', 'i'}, SERVER.generations.lastCall().promptTokens());
    assertEquals(ID, SERVER.generations.lastCall().requestId());
  }

  @Test
  void shouldUseTheModelsOwnDefaults() {
    SERVER.post("/v1/completions", "{\"model\":\"org/base\",\"prompt\":\"Hi\"}");
    GenerationCall call = SERVER.generations.lastCall();
    assertArrayEquals(new int[] {'H', 'i'}, call.promptTokens());
    assertEquals(0.6f, call.sampling().temperature());
    assertEquals(0.9f, call.sampling().topP());
    assertEquals(20, call.sampling().topK());
  }

  @Test
  void shouldAnswerSeveralPromptsAsOne() {
    SERVER.generations.calls.clear();
    JsonNode whole = TestServer.json(post("'prompt':['A','BB'],'n':2,'echo':true"));
    assertEquals(4, whole.path("choices").size());
    String[] texts = {"AHello world", "AHello world", "BBHello world", "BBHello world"};
    for (int index = 0; index < texts.length; index++) {
      assertEquals(index, whole.path("choices").get(index).path("index").asInt());
      assertEquals(texts[index], whole.path("choices").get(index).path("text").asText());
    }
    assertEquals(2 + 3, whole.at("/usage/prompt_tokens").asInt());
    assertEquals(8, whole.at("/usage/completion_tokens").asInt());
    assertEquals(6, whole.at("/usage/prompt_tokens_details/cached_tokens").asInt());
    assertEquals(
        List.of(ID + "-0", ID + "-1"),
        SERVER.generations.calls.stream().map(GenerationCall::requestId).toList());
  }

  @Test
  void shouldStreamSeveralPromptsAsOne() {
    HttpResponse<String> stream =
        post("'prompt':['A','BB'],'stream':true,'stream_options':{'include_usage':true}");
    List<JsonNode> chunks = ChatTest.chunks(stream);
    assertEquals(2 * 3 + 1, chunks.size());
    assertEquals(4, chunks.getLast().at("/usage/completion_tokens").asInt());
  }

  @Test
  void shouldFailAsOneAndCancelTheRest() {
    CompletableFuture<Void> cancelled = new CompletableFuture<>();
    SERVER.generations.script(call ->
        call.requestId().endsWith("-1")
            ? Source.single(new Failed(Failed.Kind.OVERLOADED, "Full.", null))
            : Source.<GenerationEvent>never()
                .watchTermination((notUsed, done) -> {
                  done.whenComplete((ok, failure) -> cancelled.complete(null));
                  return notUsed;
                }));
    assertEquals(429, post("'prompt':['A','BB']").statusCode());
    TestServer.await(cancelled);
  }

  @Test
  void shouldEchoThePromptBeforeTheFirstText() {
    List<JsonNode> chunks = ChatTest.chunks(post("'prompt':[72,105],'echo':true,'stream':true"));
    assertEquals("HiHello", chunks.get(0).at("/choices/0/text").asText());
    assertEquals(" world", chunks.get(1).at("/choices/0/text").asText());
    SERVER.generations.answer();
    chunks = ChatTest.chunks(post("'prompt':'Hi','echo':true,'stream':true"));
    assertEquals("Hi", chunks.get(0).at("/choices/0/text").asText());
  }

  @Test
  void shouldCarryLogprobs() {
    SERVER.generations.answer("Hé", "llo");
    String expected =
        "{'tokens':['Hé','llo'],'token_logprobs':[-0.5,-0.5],'top_logprobs':["
            + "{'alt0':-1.0,'Hé':-0.5},{'alt0':-1.0,'llo':-0.5}],'text_offset':[0,2]}";
    JsonNode whole = TestServer.json(post("'prompt':'Hi','logprobs':1"));
    assertEquals(TestServer.json(expected.replace('\'', '"')), whole.at("/choices/0/logprobs"));
    List<JsonNode> chunks = ChatTest.chunks(post("'prompt':'Hi','logprobs':0,'stream':true"));
    assertEquals(
        TestServer.json(
            "{\"tokens\":[\"llo\"],\"token_logprobs\":[-0.5],\"top_logprobs\":[{\"llo\":-0.5}],"
                + "\"text_offset\":[2]}"),
        chunks.get(1).at("/choices/0/logprobs"));
  }

  @Test
  void shouldTellTokensApartThatAreNoText() {
    TokenLogprob first = new TokenLogprob("\uFFFD", new byte[] {(byte) 0xF0}, -1, List.of());
    TokenLogprob second = new TokenLogprob("\uFFFD", new byte[] {(byte) 0xF1}, -2, List.of());
    TokenLogprob chosen =
        new TokenLogprob("x", "x".getBytes(StandardCharsets.UTF_8), -3, List.of(first, second));
    SERVER.generations.script(call ->
        Source.from(
            List.of(
                new Delta(0, "x", 1, List.of(chosen)),
                new Finished(0, FinishReason.STOP),
                (GenerationEvent) new Completed(new Usage(1, 1, 0)))));
    JsonNode top =
        TestServer.json(post("'prompt':'Hi','logprobs':2"))
            .at("/choices/0/logprobs/top_logprobs/0");
    assertEquals(-1, top.path("bytes:\\xf0").asInt());
    assertEquals(-2, top.path("bytes:\\xf1").asInt());
    assertEquals(-3, top.path("x").asInt());
    assertTrue(top.size() == 3, top.toString());
  }

  private static HttpResponse<String> post(String fields) {
    String body = "{'model':'tiny'," + fields + "}";
    return SERVER.post("/v1/completions", body.replace('\'', '"'));
  }
}
