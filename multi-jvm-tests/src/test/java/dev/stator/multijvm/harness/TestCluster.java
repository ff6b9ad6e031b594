package dev.stator.multijvm.harness;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/**
 * Nodes of one cluster, each a process of its own. The first one is the seed. Every wait is
 * bounded; {@link #close} leaves no process behind. One test thread.
 */
public final class TestCluster implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration POLL_INTERVAL = Duration.ofMillis(50);

  /** How a node is started. */
  private record Plan(String name, String role, int host, List<String> arguments) {}

  private final Distribution distribution;
  private final Path folder;
  private final HttpClient http = HttpClient.newHttpClient();
  private final Map<String, Plan> plans = new LinkedHashMap<>();
  private final Map<String, StatorProcess> nodes = new LinkedHashMap<>();
  private final Map<String, URI> addresses = new LinkedHashMap<>();
  private final List<String> commonArguments = new ArrayList<>();
  private final TestNetwork network; // Null for this machine's loopback.
  private String contact;

  private TestCluster(Distribution distribution, Path folder, TestNetwork network) {
    this.distribution = distribution;
    this.folder = folder;
    this.network = network;
  }

  /**
   * A cluster without nodes.
   *
   * @param folder the nodes' working directory
   * @param arguments each node gets them
   */
  public static TestCluster create(Distribution distribution, Path folder, String... arguments) {
    return on(null, distribution, folder, arguments);
  }

  /** A cluster whose nodes run on a network's hosts, the first node on host 1, and so on. */
  public static TestCluster on(
      TestNetwork network, Distribution distribution, Path folder, String... arguments) {
    final TestCluster cluster = new TestCluster(distribution, folder, network);
    cluster.commonArguments.addAll(List.of(arguments));
    return cluster;
  }

  /** Starts nodes side by side, behind the seed; returns when all of them are ready. */
  public TestCluster with(String role, String... names) throws Exception {
    final List<String> started = new ArrayList<>();
    for (String name : names) {
      plans.put(name, new Plan(name, role, plans.size() + 1, List.of()));
      start(name);
      if (contact == null) awaitReady(name);
      else started.add(name);
    }
    for (String name : started) awaitReady(name);
    awaitServing();
    return this;
  }

  /** Starts one node with arguments of its own. */
  public TestCluster withNode(String name, String role, String... arguments) throws Exception {
    plans.put(name, new Plan(name, role, plans.size() + 1, List.of(arguments)));
    start(name);
    awaitReady(name);
    awaitServing();
    return this;
  }

  /** Waits until every frontend knows every living node, and the routers of what they serve. */
  private void awaitServing() {
    for (String name : nodes.keySet()) {
      if (!isFrontend(name) || !nodes.get(name).isAlive()) continue;
      await(name, name + " knows all nodes", this::isComplete);
    }
  }

  private boolean isFrontend(String name) {
    return plans.get(name).role().matches(".*(frontend|all).*");
  }

  private boolean isComplete(JsonNode view) {
    for (String name : nodes.keySet()) {
      if (nodes.get(name).isAlive() && !ClusterLook.serves(view, name)) return false;
    }
    final boolean hasWorkers = ClusterLook.slotCount(view) > 0;
    return !hasWorkers
        || !view.path("models").isEmpty()
            && view.path("routers").size() == view.path("models").size()
            && ClusterLook.routedWorkers(view) == ClusterLook.slotCount(view);
  }

  private void start(String name) throws IOException {
    final Plan plan = plans.get(name);
    final List<String> words = new ArrayList<>();
    if (contact == null) words.add("seed");
    else words.addAll(List.of("join", contact));
    words.addAll(List.of("--role", plan.role(), "--name", name, "--port", "0"));
    words.addAll(List.of("--cluster-port", "0"));
    if (network != null) {
      final String address = network.address(plan.host());
      words.addAll(List.of("--host", address, "--cluster-host", address));
    }
    words.addAll(commonArguments);
    words.addAll(plan.arguments());
    nodes.put(
        name,
        StatorProcess.start(
            network == null ? List.of() : network.on(plan.host()),
            distribution.launcher(),
            folder,
            distribution.startUpCache(),
            words.toArray(String[]::new)));
  }

  private void awaitReady(String name) throws InterruptedException {
    final StatorProcess node = nodes.get(name);
    addresses.put(name, node.waitUntilReady());
    if (contact == null) contact = node.clusterAddress();
  }

  /** The host that a node runs on, in its network. */
  public int host(String name) {
    return plans.get(name).host();
  }

  /** A node's process. */
  public StatorProcess node(String name) {
    return nodes.get(name);
  }

  /** Where a node answers over HTTP. */
  public URI address(String name) {
    return addresses.get(name);
  }

  /** Starts a node again that has ended, with the arguments it had. */
  public void startAgain(String name) throws Exception {
    start(name);
    awaitReady(name);
    awaitServing();
  }

  /** Where those join that are started from now on. */
  public void joinThrough(String name) throws InterruptedException {
    contact = nodes.get(name).clusterAddress();
  }

  /** What {@code GET /cluster} of a node says. */
  public JsonNode status(String name) throws IOException, InterruptedException {
    return JSON.readTree(get(name, "/cluster").body());
  }

  /** A {@code GET} at a node. */
  public HttpResponse<String> get(String name, String path)
      throws IOException, InterruptedException {
    final HttpRequest request =
        HttpRequest.newBuilder(address(name).resolve(path)).timeout(StatorProcess.PATIENCE).build();
    return http.send(request, HttpResponse.BodyHandlers.ofString());
  }

  /** Waits until what a node says of the cluster is as wanted. */
  public void await(String name, String what, Predicate<JsonNode> condition) {
    final AtomicReference<JsonNode> seen = new AtomicReference<>(MissingNode.getInstance());
    try {
      Awaitility.await(what)
          .atMost(StatorProcess.PATIENCE)
          .pollInterval(POLL_INTERVAL)
          .ignoreExceptions()
          .until(() -> condition.test(look(name, seen)));
    } catch (ConditionTimeoutException e) {
      throw new AssertionError(what + ", in vain: " + seen.get() + '\n' + this, e);
    }
  }

  private JsonNode look(String name, AtomicReference<JsonNode> seen) throws Exception {
    seen.set(status(name));
    return seen.get();
  }

  /** Waits until a node does not count as a member any more, as {@code name} sees it. */
  public void awaitGone(String name, String gone) {
    await(name, gone + " is gone", view -> ClusterLook.node(view, gone).isMissingNode());
  }

  /** Waits until nothing in the cluster is held by a request any more, as {@code name} sees it. */
  public void awaitNothingHeld(String name) {
    await(name, "nothing held", cluster -> ClusterLook.held(cluster).isEmpty());
  }

  @Override
  public void close() {
    for (StatorProcess node : nodes.values()) node.close();
    http.shutdownNow();
  }

  /** What every node has printed, for a failed test. */
  @Override
  public String toString() {
    final StringBuilder text = new StringBuilder();
    nodes.forEach((name, node) -> text.append("=== ").append(name).append('\n').append(node));
    return text.toString();
  }
}
