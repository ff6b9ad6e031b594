package dev.stator.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.typesafe.config.ConfigFactory;
import dev.stator.cluster.ClusterView;
import dev.stator.cluster.NodeRole;
import dev.stator.engine.EngineLoad;
import dev.stator.metrics.Metrics;
import dev.stator.protocol.WorkerId;
import dev.stator.protocol.WorkerRole;
import dev.stator.worker.RouterStats;
import dev.stator.worker.SessionStats;
import dev.stator.worker.TransferFigures;
import dev.stator.worker.WorkerStats;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ClusterEndpointTest {
  private static final WorkerStats SLOT =
      new WorkerStats(
          new WorkerId("decode-1/0", 9),
          Set.of(WorkerRole.DECODE),
          new EngineLoad(1, 2, 3, 4, 100, 5, 7, 6, 9, 10, 11, 14, 13),
          12,
          3,
          0.5,
          2.5,
          13,
          14,
          15,
          16,
          2,
          0.5);
  private static final ClusterView VIEW =
      new ClusterView(
          "decode-1",
          List.of(
              node("decode-1", NodeRole.DECODE, ClusterView.NodeState.SERVING, List.of(SLOT)),
              node("frontend-1", NodeRole.FRONTEND, ClusterView.NodeState.UNREACHABLE, List.of())),
          List.of(new ClusterView.ModelView("tiny", 200, List.of("decode-1"))),
          List.of(new ClusterView.RouterView("tiny", "frontend-1", RouterStats.NONE)),
          new ClusterView.PlannerView(
              null,
              List.of(new ClusterView.PlannerNote("tiny", Instant.EPOCH, true, "nothing to do"))));

  private final List<String> drained = new ArrayList<>();
  private final AtomicBoolean isDrainingElsewhere = new AtomicBoolean();
  private final ReadinessState readiness = new ReadinessState();
  private HttpServer server;

  @BeforeEach
  void start() {
    server =
        TestServer.await(
            HttpServer.start(
                TestServer.system(),
                HttpSettings.from(
                    ConfigFactory.parseString("stator.http.port = 0")
                        .withFallback(ConfigFactory.load())
                        .getConfig("stator.http")),
                new ServerParts(
                    ServerParts.Audience.OPERATORS,
                    null,
                    null,
                    new Metrics(System::nanoTime),
                    readiness,
                    new FixedCluster())));
    readiness.watch(isDrainingElsewhere::get);
    readiness.markReady();
  }

  @AfterEach
  void stop() {
    TestServer.await(server.stop());
  }

  @Test
  void shouldShowNodesModelsRoutersAndPlans() {
    final HttpResponse<String> response = send(request("/cluster"));
    assertEquals(200, response.statusCode());
    final JsonNode view = TestServer.json(response);
    assertEquals("decode-1", view.path("self").asText());
    final JsonNode node = view.path("nodes").path(0);
    assertEquals("serving", node.path("state").asText());
    assertEquals("http://10.0.0.7:8081", node.path("http").asText());
    assertEquals("shared", node.path("transfer").path("routes").path("prefill-1").asText());
    final JsonNode slot = node.path("slots").path(0);
    assertEquals("decode-1/0", slot.path("name").asText());
    assertEquals("decode", slot.path("roles").path(0).asText());
    assertEquals(1, slot.path("running").asInt());
    assertEquals(100, slot.path("blocks").path("total").asInt());
    assertEquals(6, slot.path("prefix_cache").path("hit_tokens").asInt());
    assertEquals("unreachable", view.path("nodes").path(1).path("state").asText());
    assertTrue(view.path("nodes").path(1).path("http").isNull());
    assertTrue(view.path("nodes").path(1).path("last_word_ms").isNull());
    assertEquals(200, view.path("models").path(0).path("context_length").asInt());
    assertEquals("frontend-1", view.path("routers").path(0).path("node").asText());
    assertTrue(view.path("planner").path("node").isNull());
    assertTrue(view.path("planner").path("decisions").path(0).path("move").asBoolean());
    assertEquals(
        "nothing to do", view.path("planner").path("decisions").path(0).path("decision").asText());
  }

  @Test
  void shouldBeginADrain() {
    final HttpResponse<String> response = drain("{\"node\":\"frontend-1\"}", "application/json");
    assertEquals(202, response.statusCode());
    assertEquals("{\"node\":\"frontend-1\",\"state\":\"draining\"}", response.body());
    assertEquals(List.of("frontend-1"), drained);
  }

  @Test
  void shouldNameTheNodesWhenThereIsNoSuchOne() {
    final HttpResponse<String> response = drain("{\"node\":\"x\"}", "application/json");
    assertEquals(404, response.statusCode());
    assertEquals(
        "There is no node 'x' in the cluster; there are decode-1, frontend-1.", message(response));
    assertTrue(drained.isEmpty());
  }

  @Test
  void shouldWantANodesName() {
    assertEquals(400, drain("{}", "application/json").statusCode());
    assertEquals(400, drain("{\"node\":3}", "application/json").statusCode());
    assertEquals(400, drain("nonsense", "application/json").statusCode());
  }

  @Test
  void shouldNotTakeADrainFromAPageInABrowser() {
    final HttpResponse<String> response = drain("{\"node\":\"frontend-1\"}", "text/plain");
    assertEquals(415, response.statusCode());
    assertTrue(drained.isEmpty());
  }

  @Test
  void shouldSayThatClientsAreServedElsewhere() {
    final HttpResponse<String> response =
        send(
            request("/v1/chat/completions")
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString("{}")));
    assertEquals(404, response.statusCode());
    assertTrue(message(response).contains("does not serve clients"), message(response));
  }

  @Test
  void shouldSayThatItDrainsWhenAnotherPartHasBegunTo() {
    assertEquals(200, send(request("/health")).statusCode());
    isDrainingElsewhere.set(true);
    assertEquals(503, send(request("/health")).statusCode());
    isDrainingElsewhere.set(false);
    assertEquals(503, send(request("/health")).statusCode(), "there is no way back");
  }

  @Test
  void shouldGoOnShowingTheClusterWhenItRefusesRequests() {
    server.refuse();
    assertEquals(503, send(request("/health")).statusCode());
    assertEquals(200, send(request("/cluster")).statusCode());
    assertFalse(readiness.isReady());
  }

  private static ClusterView.NodeView node(
      String name, NodeRole role, ClusterView.NodeState state, List<WorkerStats> slots) {
    final boolean isSilent = slots.isEmpty();
    return new ClusterView.NodeView(
        name,
        Set.of(role),
        "10.0.0.7:17355",
        isSilent ? 0 : 8081,
        state,
        isSilent ? null : "tiny",
        slots,
        SessionStats.NONE,
        TransferFigures.NONE,
        isSilent ? Map.of() : Map.of("prefill-1", "shared"),
        isSilent ? -1 : 20);
  }

  private HttpResponse<String> drain(String body, String type) {
    return send(
        request("/cluster/drain").header("Content-Type", type).POST(BodyPublishers.ofString(body)));
  }

  private static String message(HttpResponse<String> response) {
    return TestServer.json(response).path("error").path("message").asText();
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(
        URI.create("http://127.0.0.1:" + server.address().getPort() + path));
  }

  private static HttpResponse<String> send(HttpRequest.Builder request) {
    return TestServer.await(
        TestServer.client()
            .sendAsync(request.timeout(TestServer.PATIENCE).build(), BodyHandlers.ofString()));
  }

  private final class FixedCluster implements ClusterAccess {
    @Override
    public ClusterView view() {
      return VIEW;
    }

    @Override
    public CompletionStage<?> drain(String node) {
      drained.add(node);
      return CompletableFuture.completedFuture(null);
    }
  }
}
