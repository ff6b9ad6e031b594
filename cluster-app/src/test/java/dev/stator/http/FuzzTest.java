package dev.stator.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigInteger;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Whatever a body says, the server answers it or refuses it: it never fails. */
class FuzzTest {
  private static final long SEED = 20_261_121;
  private static final int ROUNDS = 1500;
  private static final TestServer SERVER = TestServer.start();
  private static final List<String> PATHS =
      List.of("/v1/chat/completions", "/v1/completions", "/tokenize", "/detokenize");
  private static final String EVERYTHING =
      """
      {"model":"tiny","prompt":"Hi","tokens":[72,105],"stream":false,"n":1,"user":"me",
      "messages":[{"role":"system","content":"Be kind."},
       {"role":"user","content":[{"type":"text","text":"Hi"}]},
       {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function",
        "function":{"name":"f","arguments":"{\\"a\\":1}"}}]},
       {"role":"tool","tool_call_id":"c","content":"3"}],
      "temperature":0.5,"top_p":0.9,"top_k":5,"min_p":0.1,"seed":1,"max_tokens":5,"min_tokens":1,
      "max_completion_tokens":5,"presence_penalty":0.5,"frequency_penalty":0.5,
      "repetition_penalty":1.1,"logit_bias":{"65":-5},"stop":["x"],"stop_token_ids":[10],
      "ignore_eos":false,"tools":[{"type":"function","function":{"name":"f","description":"d",
       "parameters":{"type":"object","properties":{"a":{"type":"integer"}}}}}],
      "tool_choice":"auto","parallel_tool_calls":true,"response_format":{"type":"text"},
      "cache_salt":"s","chat_template_kwargs":{"a":[1,{"b":null}]},"echo":false,
      "add_special_tokens":true,"return_token_strs":true,"metadata":{"x":"y"}}\
      """;

  @AfterAll
  static void stop() {
    SERVER.close();
  }

  @Test
  void shouldNeverFailAtAMutatedTree() {
    Random random = new Random(SEED);
    int[] counts = new int[600];
    for (int round = 0; round < ROUNDS; round++) {
      ObjectNode body = (ObjectNode) TestServer.json(EVERYTHING);
      int mutationCount = 1 + random.nextInt(2);
      for (int mutation = 0; mutation < mutationCount; mutation++) mutate(body, random);
      byte[] bytes = body.toString().getBytes(StandardCharsets.UTF_8);
      counts[send(PATHS.get(random.nextInt(PATHS.size())), bytes, round)]++;
    }
    assertTrue(counts[200] > ROUNDS / 20, "hardly any body was taken: " + counts[200]);
    assertTrue(counts[400] > ROUNDS / 20, "hardly any body was refused: " + counts[400]);
  }

  @Test
  void shouldNeverFailAtMutatedBytes() {
    Random random = new Random(SEED + 1);
    for (int round = 0; round < ROUNDS / 3; round++) {
      byte[] bytes = EVERYTHING.getBytes(StandardCharsets.UTF_8);
      for (int mutation = 0; mutation <= random.nextInt(3); mutation++) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
      }
      if (random.nextInt(4) == 0) bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length));
      send(PATHS.get(random.nextInt(PATHS.size())), bytes, round);
    }
  }

  private static int send(String path, byte[] body, int round) {
    HttpResponse<String> response =
        SERVER.send(
            HttpRequest.newBuilder(SERVER.uri(path)).POST(BodyPublishers.ofByteArray(body)));
    int status = response.statusCode();
    assertTrue(
        status == 200 || (status >= 400 && status < 500),
        () ->
            "round %d: %d %s for %s %s"
                .formatted(
                    round,
                    status,
                    response.body(),
                    path,
                    new String(body, StandardCharsets.UTF_8)));
    if (status != 200) {
      JsonNode error = TestServer.json(response).path("error");
      assertTrue(error.path("message").isTextual(), response.body());
      assertEquals(4, error.size(), response.body());
    }
    return status;
  }

  /** Replaces, removes or doubles one value anywhere in the tree. */
  private static void mutate(ObjectNode body, Random random) {
    List<JsonNode> containers = new ArrayList<>();
    collectContainers(body, containers);
    JsonNode container = containers.get(random.nextInt(containers.size()));
    if (container.isEmpty()) return;
    int index = random.nextInt(container.size());
    boolean removes = random.nextInt(4) == 0;
    if (container instanceof ObjectNode object) {
      String name = new ArrayList<>(object.properties()).get(index).getKey();
      if (removes) {
        object.remove(name);
      } else {
        object.set(name, value(random));
      }
    } else {
      ArrayNode array = (ArrayNode) container;
      if (removes) {
        array.remove(index);
      } else {
        array.set(index, value(random));
      }
    }
  }

  private static void collectContainers(JsonNode node, List<JsonNode> to) {
    if (!node.isContainerNode()) return;
    to.add(node);
    node.forEach(child -> collectContainers(child, to));
  }

  private static JsonNode value(Random random) {
    JsonNodeFactory make = JsonNodeFactory.instance;
    return switch (random.nextInt(14)) {
      case 0 -> make.nullNode();
      case 1 -> make.booleanNode(random.nextBoolean());
      case 2 -> make.numberNode(random.nextInt(5) - 2);
      case 3 -> make.numberNode(random.nextLong());
      case 4 -> make.numberNode(BigInteger.ONE.shiftLeft(200));
      case 5 -> make.numberNode(random.nextGaussian() * 3);
      case 6 -> make.numberNode(Double.MAX_VALUE);
      case 7 -> make.textNode("");
      case 8 -> make.textNode("\uD83D\uDE00 text \u0000\u2028");
      case 9 -> make.textNode("{\"a\":");
      case 10 -> make.arrayNode();
      case 11 -> make.objectNode();
      case 12 -> make.arrayNode().add(1).add("x").addNull();
      default -> make.objectNode().put("type", "text").put("5", 1);
    };
  }
}
