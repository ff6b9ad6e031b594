package dev.stator.model.text;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** Bounds work by the processor time of its own thread: other load on the machine takes none. */
final class ProcessorTime {
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
  private static final Duration LOOK_EVERY = Duration.ofMillis(20);

  private ProcessorTime() {}

  /** What {@code work} gives; fails, and leaves it to a daemon, when it has used too much. */
  static <T> T within(Duration max, String what, Supplier<T> work) {
    final CompletableFuture<T> result = new CompletableFuture<>();
    final Thread thread =
        Thread.ofPlatform()
            .daemon()
            .start(() -> {
              try {
                result.complete(work.get());
              } catch (Throwable failure) {
                result.completeExceptionally(failure);
              }
            });
    try {
      while (!thread.join(LOOK_EVERY)) {
        final long usedNs = THREADS.getThreadCpuTime(thread.threadId());
        assertTrue(usedNs < max.toNanos(), () -> what + " takes more than " + max);
      }
    } catch (InterruptedException interrupted) {
      throw new AssertionError("interrupted", interrupted);
    }
    return result.join();
  }
}
