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
import dev.stator.multijvm.harness.Stream;
import dev.stator.multijvm.harness.TestCluster;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/**
 * Three decode nodes, two prefill nodes, many streams at a time, and every few seconds a worker
 * that is killed or hangs: every stream ends with the bytes of the quiet run, and nothing is left
 * behind. A short run by default; {@code mvn verify -Pchaos} makes it 200 streams for minutes.
 */
@Staged
class ChaosTest {
  private static final int STREAMS = Integer.getInteger("stator.chaos.streams", 24);
  private static final int SECONDS = Integer.getInteger("stator.chaos.seconds", 10);
  private static final int DISTURBANCES_MIN = 3;
  private static final long SEED = Long.getLong("stator.chaos.seed", 1);
  private static final List<String> WORKERS =
      List.of("decode-1", "decode-2", "decode-3", "prefill-1", "prefill-2");
  private static final List<Question> QUESTIONS = Question.longStories(0, 32, 60, 200);

  private static final List<Question> LEAK_QUESTIONS = Question.longStories(40, 40, 60, 4);
  private static final int WARM_UP_ROUNDS = 3;
  private static final int LEAK_ROUNDS = 8;
  private static final long LEAK_REQUESTS = (long) LEAK_ROUNDS * LEAK_QUESTIONS.size();
  private static final long BLOCK_BYTES = 64 << 10;
  private static final long CHAOS_HEAP_GROWTH_MAX = 32L << 20; // Indexes of cached blocks grow.
  private static final int FILES_MORE_MAX = 40;

  private final Set<Path> leftBehind = new TreeSet<>();
  private final SplittableRandom random = new SplittableRandom(SEED);
  private final List<String> log = new ArrayList<>();

  @Test
  void shouldEndEveryStreamWithTheQuietRunsBytes(Stage stage) throws Exception {
    final List<Answer.Bytes> quiet = stage.quiet(QUESTIONS);
    final TestCluster cluster = stage.cluster().add("decode-3", "decode");
    askAll(cluster);
    final Map<String, ProcessLook> before = looks(cluster, List.of("frontend-1", "frontend-2"));
    try (HttpClient http = HttpClient.newHttpClient()) {
      final Clients clients = new Clients(http, cluster.address("frontend-1"), quiet);
      clients.start();
      final long endNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
      while (log.size() < DISTURBANCES_MIN || System.nanoTime() < endNs) disturb(cluster);
      clients.stop();
      System.out.printf("Chaos, seed %d: %d streams, %s%n", SEED, clients.ended.get(), log);
      assertEquals(List.of(), clients.wrong, cluster::toString);
      assertTrue(clients.ended.get() >= STREAMS, "only " + clients.ended + " streams ended");
      cluster.awaitNothingHeld("frontend-1");
    }
    cluster.remove("decode-3");
    shouldHaveSweptWhatWasKilled(cluster);
    shouldHaveKeptNoMoreThanBefore(cluster, before);
    shouldKeepNothingOfRequests(cluster);
  }

  /** What lies in memory of a process that was killed goes with the next start, or one after it. */
  private void shouldHaveSweptWhatWasKilled(TestCluster cluster) throws Exception {
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
    for (int round = 0; round < LEAK_ROUNDS; round++) askAll(cluster);
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

  /** One worker dies or hangs, streams go on without it for a while, then it is there again. */
  private void disturb(TestCluster cluster) throws Exception {
    final String victim = WORKERS.get(random.nextInt(WORKERS.size()));
    final boolean hangs = random.nextInt(3) == 0;
    log.add((hangs ? "hang " : "kill ") + victim);
    if (hangs) {
      cluster.node(victim).hang();
      cluster.awaitGone("frontend-1", victim);
      cluster.node(victim).resume();
      cluster.node(victim).waitForExit();
    } else {
      leftBehind.addAll(cluster.node(victim).madeInMemory());
      cluster.node(victim).kill();
    }
    cluster.start();
  }

  /** Clients that ask one question after the other. */
  private static final class Clients {
    final AtomicInteger ended = new AtomicInteger();
    final List<String> wrong = new ArrayList<>(); // Guarded by itself.
    private final HttpClient http;
    private final URI server;
    private final List<Answer.Bytes> quiet;
    private final AtomicInteger asked = new AtomicInteger();
    private final CountDownLatch done = new CountDownLatch(STREAMS);
    private volatile boolean stopped;

    Clients(HttpClient http, URI server, List<Answer.Bytes> quiet) {
      this.http = http;
      this.server = server;
      this.quiet = quiet;
    }

    void start() {
      for (int i = 0; i < STREAMS; i++) Thread.ofVirtual().name("client-" + i).start(this::run);
    }

    /** Asks no more, and waits for the answers under way. */
    void stop() throws InterruptedException {
      stopped = true;
      final Duration patience = Stream.PATIENCE.multipliedBy(2);
      assertTrue(done.await(patience.toMillis(), TimeUnit.MILLISECONDS), "streams do not end");
    }

    private void run() {
      try {
        while (!stopped) ask(asked.getAndIncrement() % QUESTIONS.size());
      } finally {
        done.countDown();
      }
    }

    private void ask(int index) {
      final Answer answer = Stream.start(http, server, QUESTIONS.get(index)).answer();
      ended.incrementAndGet();
      final boolean isRight = answer.error() == null && answer.bytes().equals(quiet.get(index));
      if (isRight) return;
      synchronized (wrong) {
        wrong.add("question " + index + ": " + answer);
      }
    }
  }
}
