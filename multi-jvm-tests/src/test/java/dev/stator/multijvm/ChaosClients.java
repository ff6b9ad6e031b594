package dev.stator.multijvm;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.multijvm.harness.Answer;
import dev.stator.multijvm.harness.Question;
import dev.stator.multijvm.harness.Stream;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Clients that ask one question after the other, each at a server of its own choice. */
final class ChaosClients {
  /** Hundreds of streams at one cold worker on two cores, which may die before it is through. */
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  private final HttpClient http;
  private final List<URI> servers;
  private final List<Question> questions;
  private final List<Answer.Bytes> quiet;
  private final int clientCount;
  private final CountDownLatch done;
  private final AtomicInteger asked = new AtomicInteger();
  private final AtomicInteger ended = new AtomicInteger();
  private final List<String> wrong = new ArrayList<>(); // Guarded by this, as the next one.
  private Duration longestPause = Duration.ZERO;
  private volatile boolean stopped;

  /**
   * @param quiet what each question must be answered
   */
  ChaosClients(
      HttpClient http,
      List<URI> servers,
      List<Question> questions,
      List<Answer.Bytes> quiet,
      int clientCount) {
    this.http = http;
    this.servers = servers;
    this.questions = questions;
    this.quiet = quiet;
    this.clientCount = clientCount;
    this.done = new CountDownLatch(clientCount);
  }

  void start() {
    for (int i = 0; i < clientCount; i++) {
      final URI server = servers.get(i % servers.size());
      Thread.ofVirtual().name("client-" + i).start(() -> run(server));
    }
  }

  /** Asks no more, and waits for the answers under way. */
  void stop() throws InterruptedException {
    stopped = true;
    assertTrue(done.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS), "streams do not end");
  }

  int endedCount() {
    return ended.get();
  }

  /** Answers that are not the quiet run's, in words. */
  synchronized List<String> wrong() {
    return List.copyOf(wrong);
  }

  /** The longest time between two events of one stream, its first included. */
  synchronized Duration longestPause() {
    return longestPause;
  }

  private void run(URI server) {
    try {
      while (!stopped) ask(server, asked.getAndIncrement() % questions.size());
    } finally {
      done.countDown();
    }
  }

  private void ask(URI server, int index) {
    final Stream stream = Stream.start(http, server, questions.get(index));
    try {
      final Answer answer = stream.answer(PATIENCE);
      final boolean isRight = answer.error() == null && answer.bytes().equals(quiet.get(index));
      note(answer.longestPause(), isRight ? null : "question " + index + ": " + answer);
    } catch (RuntimeException late) {
      note(PATIENCE, "question " + index + ": " + late);
      stopped = true; // It would go on, and the next one be one more at a time.
    }
    ended.incrementAndGet();
  }

  private synchronized void note(Duration pause, String fault) {
    if (pause.compareTo(longestPause) > 0) longestPause = pause;
    if (fault != null) wrong.add(fault);
  }
}
