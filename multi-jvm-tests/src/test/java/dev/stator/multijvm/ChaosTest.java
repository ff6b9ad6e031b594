package dev.stator.multijvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.multijvm.harness.Answer;
import dev.stator.multijvm.harness.Load;
import dev.stator.multijvm.harness.ProcessLook;
import dev.stator.multijvm.harness.Question;
import dev.stator.multijvm.harness.Stage;
import dev.stator.multijvm.harness.Staged;
import dev.stator.multijvm.harness.StatorProcess;
import dev.stator.multijvm.harness.TestCluster;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Three decode nodes, two prefill nodes, many streams at a time, and every few seconds a worker
 * that is killed or hangs, up to three of them at once: every stream ends with the bytes of the
 * quiet run, and nothing is left behind. A short run by default; {@code mvn verify -Pchaos} makes
 * it 200 streams for minutes.
 */
@Staged
class ChaosTest {
  private static final ChaosSettings SETTINGS = ChaosSettings.fromProperties();
  private static final int DISTURBANCES_MIN = 3;
  private static final List<String> FRONTENDS = List.of("frontend-1", "frontend-2");
  private static final List<String> WORKERS =
      List.of("decode-1", "decode-2", "decode-3", "prefill-1", "prefill-2");

  /** One in four prompts is long enough to be computed elsewhere. */
  private static final List<Question> QUESTIONS =
      IntStream.range(0, Math.min(SETTINGS.streams(), 100))
          .mapToObj(index -> Question.longStory(index, index % 4 == 0 ? 60 : 10, 120))
          .toList();

  private static final List<Question> LEAK_QUESTIONS = Question.longStories(40, 40, 60, 4);
  private static final int WARM_UP_ROUNDS = 3;
  private static final long LEAK_REQUESTS = (long) SETTINGS.leakRounds() * LEAK_QUESTIONS.size();
  private static final long BLOCK_BYTES = 64 << 10;
  private static final long CHAOS_HEAP_GROWTH_MAX = 32L << 20; // Indexes of cached blocks grow.
  private static final int FILES_MORE_MAX = 40;

  @Test
  void shouldEndEveryStreamWithTheQuietRunsBytes(Stage stage) throws Exception {
    final List<Answer.Bytes> quiet = stage.quiet(QUESTIONS);
    final TestCluster cluster = stage.cluster().add("decode-3", "decode");
    askAll(cluster);
    final Map<String, ProcessLook> before = looks(cluster, FRONTENDS);
    final Disturber disturber = new Disturber(cluster, "frontend-1", WORKERS, SETTINGS);
    System.out.println("Chaos: " + SETTINGS);
    try (HttpClient http = HttpClient.newHttpClient()) {
      final List<URI> servers = FRONTENDS.stream().map(cluster::address).toList();
      final ChaosClients clients =
          new ChaosClients(http, servers, QUESTIONS, quiet, SETTINGS.streams());
      clients.start();
      disturber.run(DISTURBANCES_MIN);
      clients.stop();
      tell(cluster, disturber, clients);
      assertEquals(List.of(), clients.wrong(), cluster::toString);
      assertTrue(clients.endedCount() >= SETTINGS.streams(), "only " + clients.endedCount());
    }
    cluster.start(); // Nothing has to be started: it returns when the frontends know everybody.
    for (String frontend : FRONTENDS) cluster.awaitNothingHeld(frontend);
    final Set<Path> leftBehind = disturber.leftBehind();
    cluster.remove("decode-3");
    shouldHaveSweptWhatWasKilled(cluster, leftBehind);
    shouldHaveKeptNoMoreThanBefore(cluster, before);
    if (SETTINGS.leakRounds() > 0) shouldKeepNothingOfRequests(cluster);
  }

  private static void tell(TestCluster cluster, Disturber disturber, ChaosClients clients)
      throws Exception {
    double moves = 0;
    for (String frontend : FRONTENDS) {
      moves += cluster.metric(frontend, "stator_session_moves_total");
    }
    System.out.printf(
        "Chaos, seed %d: %d disturbances, %d streams ended, %.0f moves, longest pause %.1f s%n%s%n",
        SETTINGS.seed(),
        disturber.made().size(),
        clients.endedCount(),
        moves,
        clients.longestPause().toMillis() / 1e3,
        disturber.made());
  }

  /** What lies in memory of a process that was killed goes with the next start, or one after it. */
  private static void shouldHaveSweptWhatWasKilled(TestCluster cluster, Set<Path> leftBehind)
      throws Exception {
    final long deadlineNs = System.nanoTime() + StatorProcess.PATIENCE.toNanos();
    for (; ; ) {
      cluster.add("sweeper", "router");
      cluster.remove("sweeper");
      leftBehind.removeIf(file -> !Files.exists(file));
      if (leftBehind.isEmpty()) return;
      // A media driver counts as alive until its last pulse is old enough.
      assertTrue(System.nanoTime() < deadlineNs, () -> "left behind: " + leftBehind);
    }
  }

  /** The frontends have lived through it all: clients, streams, nodes that came and went. */
  private static void shouldHaveKeptNoMoreThanBefore(
      TestCluster cluster, Map<String, ProcessLook> before) throws Exception {
    for (String name : before.keySet()) {
      final ProcessLook then = before.get(name);
      awaitLook(
          cluster,
          name,
          "as before the chaos: " + then,
          now ->
              now.files() - then.files() < FILES_MORE_MAX
                  && now.heapBytes() - then.heapBytes() < CHAOS_HEAP_GROWTH_MAX);
    }
  }

  /**
   * The same requests again and again: one block of 64 KiB, file or buffer kept for each would be
   * twice what is allowed, and more.
   */
  private static void shouldKeepNothingOfRequests(TestCluster cluster) throws Exception {
    for (int round = 0; round < WARM_UP_ROUNDS; round++) askAll(cluster);
    final Map<String, ProcessLook> before = looks(cluster, cluster.names());
    for (int round = 0; round < SETTINGS.leakRounds(); round++) askAll(cluster);
    cluster.awaitNothingHeld("frontend-1");
    for (String name : before.keySet()) {
      final ProcessLook then = before.get(name);
      awaitLook(
          cluster,
          name,
          "as before " + LEAK_REQUESTS + " requests: " + then,
          now ->
              now.files() - then.files() < FILES_MORE_MAX
                  && now.buffers() - then.buffers() < LEAK_REQUESTS / 4
                  && now.heapBytes() - then.heapBytes() < LEAK_REQUESTS * BLOCK_BYTES / 2);
    }
  }

  private static void askAll(TestCluster cluster) {
    try (Load load = Load.start(cluster.address("frontend-1"), LEAK_QUESTIONS)) {
      load.bytes();
    }
  }

  private static Map<String, ProcessLook> looks(TestCluster cluster, List<String> names)
      throws Exception {
    final Map<String, ProcessLook> looks = new TreeMap<>();
    for (String name : names) looks.put(name, cluster.node(name).look());
    return looks;
  }

  /** Connections and the like end a little later than what used them. */
  private static void awaitLook(
      TestCluster cluster, String name, String what, Predicate<ProcessLook> condition)
      throws Exception {
    final long deadlineNs = System.nanoTime() + StatorProcess.PATIENCE.toNanos();
    ProcessLook now = cluster.node(name).look();
    while (!condition.test(now)) {
      final ProcessLook last = now;
      assertTrue(System.nanoTime() < deadlineNs, () -> name + " is not " + what + "; now " + last);
      now = cluster.node(name).look();
    }
    System.out.printf("%s, %s; now %s%n", name, what, now);
  }
}
