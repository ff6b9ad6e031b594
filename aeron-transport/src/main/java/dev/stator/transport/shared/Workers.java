package dev.stator.transport.shared;

import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A few threads that take checksums and copy blocks, and let go what connections have gathered when
 * nothing is left to do, or much has been gathered. They end when there is nothing to do.
 *
 * <p><b>Threads:</b> any.
 */
final class Workers implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Workers.class);
  private static final int UNFLUSHED_MAX = 8;

  private final ThreadPoolExecutor executor;
  private final Queue<Connection> unflushed = new ConcurrentLinkedQueue<>();
  private final AtomicInteger unflushedCount = new AtomicInteger();

  Workers(int threads, int tasksMax) {
    executor =
        new ThreadPoolExecutor(
            threads,
            threads,
            10,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(tasksMax),
            Thread.ofPlatform().daemon().name("stator-shared-", 0).factory());
    executor.allowCoreThreadTimeOut(true);
  }

  /**
   * Runs a task, unless too many wait.
   *
   * @param task returns the connection it has appended to, {@code null} when none
   */
  boolean tryRun(Supplier<Connection> task) {
    try {
      executor.execute(() -> run(task));
      return true;
    } catch (RejectedExecutionException full) {
      return false;
    }
  }

  private void run(Supplier<Connection> task) {
    try {
      final Connection touched = task.get();
      if (touched != null) {
        unflushed.add(touched);
        unflushedCount.incrementAndGet();
      }
    } catch (RuntimeException | Error broken) {
      LOG.error("A block is lost", broken);
    } finally {
      // Whoever finishes the last task finds the queue empty, so nothing stays behind.
      if (executor.getQueue().isEmpty() || unflushedCount.get() >= UNFLUSHED_MAX) flush();
    }
  }

  private void flush() {
    for (Connection due = unflushed.poll(); due != null; due = unflushed.poll()) {
      unflushedCount.decrementAndGet();
      due.flush();
    }
  }

  @Override
  public void close() {
    executor.shutdownNow();
  }
}
