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
import java.time.LocalTime;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/**
 * Nodes of one cluster, each a process of its own. The first one is the seed. Every wait is
 * bounded; {@link #close} leaves no process behind. One test thread; {@link #restart}, {@link
 * #isHeard} and {@link #node} any thread.
 */
public final class TestCluster implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration POLL_INTERVAL = Duration.ofMillis(50);

  /**
   * More patience than by default: many JVMs that start on two cores are silent for seconds. And
   * blocks move, though computing them anew would often be quicker here. The CPU computes, also
   * where there is a GPU, which has no room for so many.
   */
  private static final List<String> SETTINGS =
      List.of(
          "-Dstator.cluster.heartbeat-pause=6s",
          "-Dstator.cluster.down-after=3s",
          "-Dstator.router.remote-prefill-transfer-share-max=1e6",
          "-Dstator.device.kind=cpu");

  /** Nodes that start at a time. More are no sooner ready, and too busy to be heard. */
  private static final int STARTING_MAX = 2;

  /** What a node says of itself every second is younger, if nothing is wrong with it. */
  private static final long HEARD_MS = 3_000;

  /** How a node is started. */
  private record Plan(String name, String role, int host, List<String> arguments) {}

  private final Distribution distribution;
  private final Path folder;
  private final HttpClient http = HttpClient.newHttpClient();
  private final Map<String, Plan> plans = new LinkedHashMap<>();
  private final Map<String, StatorProcess> nodes =
      Collections.synchronizedMap(new LinkedHashMap<>());
  private final Map<String, URI> addresses = Collections.synchronizedMap(new LinkedHashMap<>());
  private final Semaphore starts = new Semaphore(STARTING_MAX);
  private final List<String> commonArguments = new ArrayList<>(SETTINGS);
  private final Map<String, String> environment = new HashMap<>();
  private final Set<String> added = new HashSet<>();
  private final TestNetwork network; // Null for this machine's loopback.
  private boolean closed; // Guarded by nodes.

  private TestCluster(Distribution distribution, Path folder, TestNetwork network) {
    this.distribution = distribution;
    this.folder = folder;
    this.network = network;
    environment.putAll(distribution.startUpCache());
  }

  /**
   * A cluster without nodes.
   *
   * @param folder the nodes' working directory
   * @param arguments each node gets them
   */
  static TestCluster create(Distribution distribution, Path folder, String... arguments) {
    return on(null, distribution, folder, arguments);
  }

  /** A cluster whose nodes run on a network's hosts, the first node on host 1, and so on. */
  static TestCluster on(
      TestNetwork network, Distribution distribution, Path folder, String... arguments) {
    final TestCluster cluster = new TestCluster(distribution, folder, network);
    cluster.commonArguments.addAll(List.of(arguments));
    return cluster;
  }

  /** Its nodes find such a GPU. */
  public TestCluster on(EmulatedGpu gpu) {
    environment.putAll(gpu.environment());
    return this;
  }

  /** Nodes that {@link #start} will start. */
  public TestCluster with(String role, String... names) {
    return with(role, List.of(), names);
  }

  /** As {@link #with(String, String...)}, with arguments of their own. */
  public TestCluster with(String role, List<String> arguments, String... names) {
    for (String name : names) plans.put(name, new Plan(name, role, plans.size() + 1, arguments));
    return this;
  }

  /**
   * Starts all nodes that do not run, side by side, behind the seed; returns when the cluster
   * serves. A node that has run before gets the arguments it had.
   */
  public TestCluster start() throws Exception {
    final List<String> ended = new ArrayList<>(plans.keySet());
    ended.removeIf(name -> nodes.containsKey(name) && nodes.get(name).isAlive());
    final long startNs = System.nanoTime();
    try {
      final Deque<String> starting = new ArrayDeque<>();
      for (String name : ended) {
        if (starting.size() == STARTING_MAX) awaitReady(starting.remove());
        start(name);
        starting.add(name);
        if (addresses.isEmpty()) awaitReady(starting.remove()); // The others join through it.
      }
      for (String name : starting) awaitReady(name);
      awaitServing();
      took("start of " + ended, startNs);
      return this;
    } catch (Exception | Error failure) {
      close();
      throw failure;
    }
  }

  private void awaitReady(String name) throws InterruptedException {
    addresses.put(name, nodes.get(name).waitUntilReady());
  }

  /** Starts a node that has ended once more; returns when it is ready. */
  public void restart(String name) throws Exception {
    starts.acquire();
    try {
      start(name);
      awaitReady(name);
    } finally {
      starts.release();
    }
  }

  /**
   * Whether a node, in its present life, has said of late that it serves, as another one sees it.
   */
  public boolean isHeard(String by, String name) throws IOException, InterruptedException {
    final URI address = addresses.get(name);
    if (address == null || !nodes.get(name).isAlive()) return false;
    final JsonNode view = status(by);
    final JsonNode node = ClusterLook.node(view, name);
    return ClusterLook.serves(view, name)
        && URI.create(node.path("http").asText()).getPort() == address.getPort()
        && node.path("last_word_ms").asLong() < HEARD_MS;
  }

  /** Adds a node for a while; returns when the cluster serves with it. */
  public TestCluster add(String name, String role) throws Exception {
    added.add(name);
    return with(role, name).start();
  }

  /** Ends a node that was added; returns when it has left. */
  public void remove(String name) throws InterruptedException {
    nodes.get(name).stop(); // One that does not end stays ours, and is killed at the close.
    nodes.remove(name);
    plans.remove(name);
    addresses.remove(name);
    added.remove(name);
    for (String frontend : frontends()) awaitGone(frontend, name);
  }

  /** Whether it is as it was after its start: all nodes are there, no others, and nothing runs. */
  boolean isWhole() {
    if (!added.isEmpty() || !nodes.keySet().equals(plans.keySet())) return false;
    if (!nodes.values().stream().allMatch(StatorProcess::isAlive)) return false;
    try {
      awaitServing();
      for (String name : frontends()) awaitNothingHeld(name);
      return true;
    } catch (AssertionError broken) {
      return false;
    }
  }

  private List<String> frontends() {
    return nodes.keySet().stream()
        .filter(name -> plans.get(name).role().matches(".*(frontend|all).*"))
        .filter(name -> nodes.get(name).isAlive())
        .toList();
  }

  /** Waits until every frontend knows every living node, and the routers of what they serve. */
  private void awaitServing() {
    for (String name : frontends()) await(name, name + " knows all nodes", this::isComplete);
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

  private void start(String name) throws Exception {
    final Plan plan = plans.get(name);
    addresses.remove(name); // Its former life's.
    final List<String> words = new ArrayList<>();
    final Optional<String> contact = contact();
    if (contact.isPresent()) words.addAll(List.of("join", contact.get()));
    else words.add("seed");
    words.addAll(List.of("--role", plan.role(), "--name", name, "--port", "0"));
    words.addAll(List.of("--cluster-port", "0"));
    if (network != null) {
      final String address = network.address(plan.host());
      words.addAll(List.of("--host", address, "--cluster-host", address));
    }
    words.addAll(commonArguments);
    words.addAll(plan.arguments());
    synchronized (nodes) {
      if (closed) throw new IllegalStateException("the cluster is closed");
      nodes.put(
          name,
          StatorProcess.start(
              network == null ? List.of() : network.on(plan.host()),
              distribution.launcher(),
              folder,
              environment,
              words.toArray(String[]::new)));
    }
  }

  /** Where a node joins: through any that lives. */
  private Optional<String> contact() throws InterruptedException {
    for (String name : List.copyOf(addresses.keySet())) {
      if (nodes.get(name).isAlive()) return Optional.of(nodes.get(name).clusterAddress());
    }
    return Optional.empty();
  }

  /** Where other nodes reach a node, as {@code host:port}. */
  public String clusterAddress(String name) throws InterruptedException {
    return nodes.get(name).clusterAddress();
  }

  /** A sum over a counter's labels, of a node's metrics. */
  public double metric(String name, String counter) throws IOException, InterruptedException {
    return get(name, "/metrics")
        .body()
        .lines()
        .filter(line -> line.startsWith(counter))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .sum();
  }

  /** The names of all nodes. */
  public List<String> names() {
    return List.copyOf(nodes.keySet());
  }

  /** The host that a node runs on, in its network. */
  public int host(String name) {
    return plans.get(name).host();
  }

  /** Asks a node to end (SIGTERM), waits, and answers its exit code. */
  public int stop(String name) throws InterruptedException {
    final long startNs = System.nanoTime();
    final int code = nodes.get(name).stop();
    took("stop of " + name, startNs);
    return code;
  }

  /** A node's process. */
  public StatorProcess node(String name) {
    return nodes.get(name);
  }

  /** Where a node answers over HTTP. */
  public URI address(String name) {
    return addresses.get(name);
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
    final long startNs = System.nanoTime();
    final AtomicReference<JsonNode> seen = new AtomicReference<>(MissingNode.getInstance());
    try {
      Awaitility.await(what)
          .atMost(StatorProcess.PATIENCE)
          .pollInterval(POLL_INTERVAL)
          .ignoreExceptions()
          .until(() -> condition.test(look(name, seen)));
      took(what, startNs);
    } catch (ConditionTimeoutException e) {
      throw new AssertionError(what + ", in vain: " + seen.get() + '\n' + this, e);
    }
  }

  /** For who wonders what a test does all the time. */
  private static void took(String what, long startNs) {
    System.out.printf(
        "%s %5.1f s  %s%n", LocalTime.now(), (System.nanoTime() - startNs) / 1e9, what);
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
    synchronized (nodes) {
      closed = true;
      for (StatorProcess node : nodes.values()) node.close();
    }
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
