package dev.stator.http;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.engine.FinishReason;
import dev.stator.model.Pooling;
import dev.stator.request.GenerationCall;
import dev.stator.request.GenerationEvent;
import dev.stator.request.GenerationEvent.Completed;
import dev.stator.request.GenerationEvent.Embedded;
import dev.stator.request.GenerationEvent.Finished;
import dev.stator.request.GenerationEvent.Usage;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import java.util.List;
import org.apache.pekko.stream.javadsl.Source;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EmbeddingTest {
  private static final TestServer SERVER =
      TestServer.start("embedding-pooling = mean, limits.embedding-inputs-max = 20");

  @AfterAll
  static void stop() {
    SERVER.close();
  }

  /** The first token of a text, and 4, twice. */
  @BeforeEach
  void embedFirstTokens() {
    SERVER.generations.calls.clear();
    SERVER.generations.script(call ->
        Source.from(
            List.<GenerationEvent>of(
                new Embedded(0, new float[] {call.promptTokens()[0], 4, 0}),
                new Finished(0, FinishReason.STOP),
                new Completed(new Usage(call.promptTokens().length, 0, 0)))));
  }

  @Test
  void shouldAnswerWithANormalisedVector() {
    HttpResponse<String> response = post("'input':[3]");
    assertEquals(200, response.statusCode());
    assertEquals(
        TestServer.json(
            ("{'object':'list','data':[{'object':'embedding','index':0,'embedding':[0.6,0.8,0.0]}],"
                    + "'model':'tiny','usage':{'prompt_tokens':1,'total_tokens':1}}")
                .replace('\'', '"')),
        TestServer.json(response));
    GenerationCall call = SERVER.generations.lastCall();
    assertEquals(Pooling.MEAN, call.pooling());
    assertEquals(1, call.sampling().maxTokens());
  }

  @Test
  void shouldAnswerInBase64() {
    JsonNode answer = TestServer.json(post("'input':[3],'encoding_format':'base64'"));
    byte[] bytes = Base64.getDecoder().decode(answer.at("/data/0/embedding").textValue());
    float[] values = new float[3];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    assertArrayEquals(new float[] {0.6f, 0.8f, 0}, values);
  }

  @Test
  void shouldKeepTheOrderOfManyInputs() {
    StringBuilder inputs = new StringBuilder("'input':[[1]");
    for (int i = 2; i <= 20; i++) inputs.append(",[").append(i).append(",7]");
    JsonNode answer = TestServer.json(post(inputs + "]"));
    assertEquals(20, answer.path("data").size());
    for (int i = 0; i < 20; i++) {
      double length = Math.hypot(i + 1, 4);
      assertEquals(i, answer.at("/data/" + i + "/index").intValue());
      assertEquals((i + 1) / length, answer.at("/data/" + i + "/embedding/0").doubleValue(), 1e-6);
    }
    assertEquals(39, answer.at("/usage/total_tokens").intValue());
  }

  @Test
  void shouldTokenizeTexts() {
    JsonNode answer = TestServer.json(post("'input':['Hi','Hello']"));
    assertEquals(2, answer.path("data").size());
    assertEquals(2, SERVER.generations.calls.size());
  }

  @Test
  void shouldCutAndNormaliseAgainWhenAskedForFewerDimensions() {
    JsonNode answer = TestServer.json(post("'input':[3],'dimensions':1"));
    assertEquals(TestServer.json("[1.0]"), answer.at("/data/0/embedding"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'input':[3],'dimensions':4 | dimensions",
        "'input':[3],'dimensions':0 | dimensions",
        "'input':[3],'encoding_format':'hex' | encoding_format",
        "'x':1 | input",
        "'input':[] | input",
        "'input':'' | input",
        "'input':{} | input",
        "'input':[99999] | input[0]",
        "'input':[[1],[]] | input[1]",
        "'input':[[1],[1],[1],[1],[1],[1],[1],[1],[1],[1],[1],[1],[1],[1],[1],[1],[1],[1],[1],[1],[1]]"
            + " | input"
      },
      quoteCharacter = '`')
  void shouldRefuseWithTheParameter(String body, String param) {
    HttpResponse<String> response = post(body);
    assertEquals(400, response.statusCode(), response.body());
    assertEquals(param, TestServer.json(response).at("/error/param").textValue());
  }

  private static HttpResponse<String> post(String fields) {
    return SERVER.post("/v1/embeddings", ("{'model':'tiny'," + fields + "}").replace('\'', '"'));
  }
}
