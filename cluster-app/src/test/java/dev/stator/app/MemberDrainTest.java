package dev.stator.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A cluster's node drains as its cluster does it, whoever is asked for the drain. */
@Timeout(120) // Seconds; what waits can be interrupted.
class MemberDrainTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Map<String, Object> SETTINGS =
      Map.of(
          "stator.http.drain-timeout", "1ms", // Of a node that is alone.
          "stator.cluster.session-drain-timeout", "100s",
          "stator.cluster.drain-timeout", "20s");

  /** Whoever tells a node to drain. */
  private interface Operator {
    void drain(TestNode node) throws Exception;
  }

  @Test
  void shouldEndItsStreamsAndShowItsClusterMeanwhileWhenItIsAskedOverHttp() throws Exception {
    assertNothingIsCutBy(node -> {
      final ObjectNode self = TestNode.JSON.createObjectNode().put("node", TestNode.MEMBER);
      final HttpRequest drain = node.request("/cluster/drain", self);
      assertEquals(202, node.client().send(drain, BodyHandlers.ofString()).statusCode());
    });
  }

  @Test
  void shouldEndItsStreamsAndShowItsClusterMeanwhileWhenItsProcessIsTerminated() throws Exception {
    assertNothingIsCutBy(node -> {
      Thread.ofVirtual().start(node.node()::close);
      while (get(node, "/health").statusCode() == 200) Thread.onSpinWait();
    });
  }

  private static void assertNothingIsCutBy(Operator operator) throws Exception {
    try (TestNode node = TestNode.startMember(512, SETTINGS)) {
      final HttpResponse<InputStream> answer =
          node.client()
              .send(node.request("/v1/chat/completions", story()), BodyHandlers.ofInputStream());
      try (BufferedReader lines =
          new BufferedReader(new InputStreamReader(answer.body(), StandardCharsets.UTF_8))) {
        assertTrue(lines.readLine().startsWith("data: "));
        operator.drain(node);
        assertEquals(503, get(node, "/health").statusCode());
        final JsonNode cluster = TestNode.parsed(get(node, "/cluster").body());
        assertEquals(TestNode.MEMBER, cluster.at("/nodes/0/name").asText());
        final List<String> rest = lines.lines().filter(line -> !line.isEmpty()).toList();
        assertEquals("data: [DONE]", rest.getLast());
        assertTrue(rest.get(rest.size() - 2).contains("\"finish_reason\":\"length\""));
      }
      assertTimeoutPreemptively(PATIENCE, node.node()::awaitTermination);
    }
  }

  @Test
  void shouldTellHowLongItsDrainMayTake() {
    try (TestNode node = TestNode.startMember(64, SETTINGS)) {
      assertEquals(Duration.ofSeconds(120), node.node().drainTimeout());
    }
  }

  private static ObjectNode story() {
    final ObjectNode request = TestNode.JSON.createObjectNode();
    request.put("model", TestNode.MODEL).put("stream", true).put("seed", 11);
    request.put("ignore_eos", true).put("max_tokens", 1500);
    request.putArray("messages").addObject().put("role", "user").put("content", "A long story!");
    return request;
  }

  private static HttpResponse<String> get(TestNode node, String path)
      throws IOException, InterruptedException {
    return node.client()
        .send(
            HttpRequest.newBuilder(node.uri(path)).timeout(PATIENCE).build(),
            BodyHandlers.ofString());
  }
}
