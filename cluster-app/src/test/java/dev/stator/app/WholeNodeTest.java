package dev.stator.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.typesafe.config.ConfigFactory;
import dev.stator.cli.NodeSettings;
import dev.stator.cli.NodeStartException;
import dev.stator.http.OpenAiClient;
import dev.stator.model.LoadedModel;
import dev.stator.model.WeightMatrix;
import dev.stator.model.file.ModelFiles;
import dev.stator.testing.TestModels;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.lang.foreign.MemorySegment;
import java.net.ServerSocket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The whole server with real weights, over real HTTP. */
class WholeNodeTest {
  private static final Map<String, Object> REMOTE_PREFILL_ALWAYS =
      Map.of(
          "stator.router.remote-prefill-min-tokens",
          1,
          "stator.router.remote-prefill-min-share",
          0.0,
          "stator.router.remote-prefill-transfer-share-max",
          1e9);

  /** Small steps, so that prompts are cut and batches change all the time. */
  private static final Map<String, Object> SMALL_STEPS =
      Map.of(
          "stator.engine.step-tokens-max", 24,
          "stator.engine.prefill-chunk-max", 7,
          "stator.engine.running-max", 6,
          "stator.engine.growth-blocks", 0);

  private static final List<String> PROMPTS =
      List.of(
          "Hello!",
          "Tell me a story about a fox.",
          "What is a KV block?",
          "My name is Ada. Please remember it. What is my name?",
          "The red house stands beside the river, and the miller lives there with a hen. Who lives"
              + " in the red house?");

  @Test
  void shouldAnswerWithTheSameBytesWhateverRunsBesideIt() {
    final List<ObjectNode> requests = requests();
    final List<String> alone = new ArrayList<>();
    try (TestNode node = TestNode.start(0, 512, 1, Map.of())) {
      for (ObjectNode request : requests) alone.add(choices(node.chat(request).join()));
    }
    try (TestNode node = TestNode.start(0, 10, 2, SMALL_STEPS)) {
      assertEquals(alone, together(node, requests));
      assertTrue(node.metric("stator_engine_preemptions_total") > 0, "the pool was to run out");
      assertEquals(alone, together(node, requests));
      node.awaitMetric("stator_kv_blocks{state=\"used\"", 0);
    }
    try (TestNode node = TestNode.start(1, 300, 1, REMOTE_PREFILL_ALWAYS)) {
      assertEquals(alone, together(node, requests));
      assertTrue(node.metric("stator_transfer_sent_bytes_total") > 0, "blocks were to move");
      node.awaitMetric("stator_kv_blocks{state=\"used\"", 0);
      node.awaitMetric("stator_transfer_open_grants", 0);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"mean", "last"})
  void shouldEmbedWithTheSameBytesWhereverItRuns(String pooling) {
    final ObjectNode request = new ObjectMapper().createObjectNode().put("model", TestNode.MODEL);
    request.put("encoding_format", "base64");
    PROMPTS.forEach(request.putArray("input")::add);
    final Map<String, Object> plain = Map.of("stator.http.embedding-pooling", pooling);
    final Map<String, Object> disaggregated = new HashMap<>(plain);
    disaggregated.putAll(REMOTE_PREFILL_ALWAYS);
    disaggregated.putAll(SMALL_STEPS);
    final JsonNode alone;
    try (TestNode node = TestNode.start(0, 512, 1, plain)) {
      alone = node.post("/v1/embeddings", request).join();
      assertEquals(alone, node.post("/v1/embeddings", request).join());
    }
    assertEquals(PROMPTS.size(), alone.path("data").size());
    try (TestNode node = TestNode.start(1, 300, 2, disaggregated)) {
      assertEquals(alone, node.post("/v1/embeddings", request).join());
      assertEquals(alone, node.post("/v1/embeddings", request).join());
      node.awaitMetric("stator_kv_blocks{state=\"used\"", 0);
      node.awaitMetric("stator_transfer_open_grants", 0);
    }
  }

  @Test
  void shouldFreeTheBlocksOfAClientThatGoesAway() throws Exception {
    try (TestNode node = TestNode.start(0, 512, 1, Map.of())) {
      final ObjectNode endless = request(PROMPTS.get(1), 0, 1);
      endless.put("stream", true).put("ignore_eos", true).put("max_tokens", 1500);
      final HttpResponse<InputStream> answer =
          node.client()
              .send(
                  node.request("/v1/chat/completions", endless),
                  HttpResponse.BodyHandlers.ofInputStream());
      try (BufferedReader lines =
          new BufferedReader(new InputStreamReader(answer.body(), StandardCharsets.UTF_8))) {
        for (int i = 0; i < 8; i++) assertTrue(lines.readLine() != null);
        assertTrue(node.metric("stator_kv_blocks{state=\"used\"") > 0);
      }
      node.awaitMetric("stator_kv_blocks{state=\"used\"", 0);
      node.awaitMetric("stator_engine_running_sequences", 0);
      assertTrue(node.metric("stator_generation_tokens_total") < 1500);
    }
  }

  @Test
  void shouldFindTheSharedPartOfAPromptInTheCache() {
    try (TestNode node = TestNode.start(0, 512, 1, Map.of())) {
      final ObjectNode request = request(PROMPTS.get(4), 0, 1);
      final JsonNode first = node.chat(request).join();
      final JsonNode second = node.chat(request).join();
      assertEquals(choices(first), choices(second));
      assertEquals(0, cachedTokens(first));
      final int promptTokens = second.at("/usage/prompt_tokens").asInt();
      assertEquals((promptTokens - 1) / 16 * 16, cachedTokens(second));
    }
  }

  @Test
  void shouldSatisfyTheOfficialClient() {
    final OpenAiClient client = OpenAiClient.install();
    try (TestNode node = TestNode.start(0, 512, 2, Map.of())) {
      client.drive(node.uri(""), TestNode.MODEL);
    }
  }

  @Test
  void shouldSayInOneSentenceWhenThePortIsTaken() throws IOException {
    try (ServerSocket taken = new ServerSocket(0)) {
      final NodeStartException refusal =
          assertThrows(
              NodeStartException.class,
              () ->
                  new StatorNodeStarter()
                      .start(settings(TestModels.bundled(), taken.getLocalPort())));
      assertTrue(
          refusal.getMessage().startsWith("cannot listen on 127.0.0.1:"), refusal.getMessage());
    }
  }

  @Test
  void shouldSayInOneSentenceWhenTheModelIsBroken(@TempDir Path folder) throws IOException {
    final Path broken = Files.write(folder.resolve("broken.gguf"), new byte[100]);
    final NodeStartException refusal =
        assertThrows(
            NodeStartException.class, () -> new StatorNodeStarter().start(settings(broken, 0)));
    assertTrue(refusal.getMessage().contains("broken.gguf"), refusal.getMessage());
  }

  @Test
  void shouldSayInOneSentenceWhichWeightIsNotFinite(@TempDir Path folder) throws IOException {
    final byte[] bytes = Files.readAllBytes(TestModels.bundled());
    final String name;
    try (LoadedModel model = ModelFiles.open(TestModels.bundled())) {
      final WeightMatrix weight = model.weights().layers().getFirst().up();
      name = weight.name();
      final int at = positionOf(weight.data().asSlice(0, 256), bytes);
      bytes[at] = 0; // The first scale, an infinite float16.
      bytes[at + 1] = 0x7C;
    }
    final Path broken = Files.write(folder.resolve("infinite.gguf"), bytes);
    final NodeStartException refusal =
        assertThrows(
            NodeStartException.class, () -> new StatorNodeStarter().start(settings(broken, 0)));
    assertEquals(
        "the model cannot be served: infinite.gguf: tensor "
            + name
            + " has a scale that is not finite in row 0",
        refusal.getMessage());
  }

  private static int positionOf(MemorySegment part, byte[] whole) {
    final MemorySegment all = MemorySegment.ofArray(whole);
    int at = 0;
    while (all.asSlice(at, part.byteSize()).mismatch(part) != -1) at++;
    return at;
  }

  @Test
  void shouldSayInOneSentenceWhenMemoryRunsOut() {
    final NodeStartException refusal =
        assertThrows(
            NodeStartException.class,
            () ->
                new StatorNodeStarter()
                    .start(settings(TestModels.bundled(), 0, Integer.MAX_VALUE)));
    assertTrue(refusal.getMessage().startsWith("out of memory ("), refusal.getMessage());
    assertTrue(
        refusal.getMessage().endsWith("; use a smaller model, context or KV pool"),
        refusal.getMessage());
  }

  private static NodeSettings settings(Path model, int port) {
    return settings(model, port, 64);
  }

  private static NodeSettings settings(Path model, int port, int kvBlocks) {
    return new NodeSettings(
        Optional.of(model),
        NodeSettings.Engine.CPU,
        Optional.empty(),
        "127.0.0.1",
        port,
        OptionalInt.of(1),
        OptionalInt.empty(),
        OptionalLong.empty(),
        OptionalInt.of(kvBlocks),
        0,
        1,
        Optional.empty(),
        ConfigFactory.empty());
  }

  private static List<ObjectNode> requests() {
    final List<ObjectNode> requests = new ArrayList<>();
    for (int i = 0; i < 2 * PROMPTS.size(); i++) {
      requests.add(
          request(PROMPTS.get(i % PROMPTS.size()), i < PROMPTS.size() ? 0 : 0.9, 1 + i % 3));
    }
    return requests;
  }

  private static ObjectNode request(String prompt, double temperature, int choiceCount) {
    final ObjectNode request = TestNode.JSON.createObjectNode();
    request.put("model", TestNode.MODEL).put("temperature", temperature).put("seed", 11);
    request
        .put("n", choiceCount)
        .put("max_tokens", 48)
        .put("logprobs", true)
        .put("top_logprobs", 2);
    request.putArray("messages").addObject().put("role", "user").put("content", prompt);
    return request;
  }

  private static List<String> together(TestNode node, List<ObjectNode> requests) {
    final List<CompletableFuture<JsonNode>> answers = requests.stream().map(node::chat).toList();
    return answers.stream().map(CompletableFuture::join).map(WholeNodeTest::choices).toList();
  }

  /** Texts and log-probabilities, to the last digit. */
  private static String choices(JsonNode answer) {
    return answer.get("choices").toString();
  }

  private static int cachedTokens(JsonNode answer) {
    return answer.at("/usage/prompt_tokens_details/cached_tokens").asInt();
  }
}
