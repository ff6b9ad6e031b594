package dev.stator.transport.shared;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A few threads that take checksums and copy blocks, beside that of the sockets. They end when
 * there is nothing to do.
 *
 * <p><b>Threads:</b> any.
 */
final class Workers implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Workers.class);

  private final ThreadPoolExecutor executor;

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

  /** Runs a task, unless too many wait. */
  boolean tryRun(Runnable task) {
    try {
      executor.execute(() -> run(task));
      return true;
    } catch (RejectedExecutionException full) {
      return false;
    }
  }

  private static void run(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException | Error broken) {
      LOG.error("A block is lost", broken);
    }
  }

  @Override
  public void close() {
    executor.shutdownNow();
  }
}
