package dev.stator.multijvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.multijvm.harness.Answer;
import dev.stator.multijvm.harness.Question;
import dev.stator.multijvm.harness.Stage;
import dev.stator.multijvm.harness.Staged;
import dev.stator.multijvm.harness.Stream;
import dev.stator.multijvm.harness.TestCluster;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
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
  private static final long SEED = Long.getLong("stator.chaos.seed", 1);
  private static final List<String> WORKERS =
      List.of("decode-1", "decode-2", "decode-3", "prefill-1", "prefill-2");
  private static final List<Question> QUESTIONS = Question.longStories(0, 32, 60, 200);

  private final SplittableRandom random = new SplittableRandom(SEED);
  private final List<String> log = new ArrayList<>();

  @Test
  void shouldEndEveryStreamWithTheQuietRunsBytes(Stage stage) throws Exception {
    final List<Answer.Bytes> quiet = stage.quiet(QUESTIONS);
    final TestCluster cluster = stage.cluster().add("decode-3", "decode");
    try (HttpClient http = HttpClient.newHttpClient()) {
      final Clients clients = new Clients(http, cluster.address("frontend-1"), quiet);
      clients.start();
      final long endNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
      while (System.nanoTime() < endNs) disturb(cluster);
      clients.stop();
      System.out.printf("Chaos, seed %d: %d streams, %s%n", SEED, clients.ended.get(), log);
      assertEquals(List.of(), clients.wrong, cluster::toString);
      assertTrue(clients.ended.get() >= STREAMS, "only " + clients.ended + " streams ended");
      cluster.awaitNothingHeld("frontend-1");
    }
    cluster.remove("decode-3");
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
