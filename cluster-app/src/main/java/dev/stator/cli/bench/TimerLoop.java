package dev.stator.cli.bench;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** An event loop on a thread of its own and the machine's clock. */
final class TimerLoop implements EventLoop, AutoCloseable {
  private final ScheduledExecutorService timers =
      Executors.newSingleThreadScheduledExecutor(
          action -> Thread.ofPlatform().daemon().name("bench-loop").unstarted(action));
  private final CompletableFuture<Void> broken = new CompletableFuture<>();
  private final long startNs = System.nanoTime();

  @Override
  public long nowNs() {
    return System.nanoTime() - startNs;
  }

  @Override
  public void at(long ns, Runnable action) {
    timers.schedule(() -> run(action), Math.max(0, ns - nowNs()), TimeUnit.NANOSECONDS);
  }

  @Override
  public void execute(Runnable action) {
    timers.execute(() -> run(action));
  }

  /** Fails when an action has thrown; never completes otherwise. */
  CompletableFuture<Void> broken() {
    return broken;
  }

  @Override
  public void close() {
    timers.shutdownNow();
  }

  private void run(Runnable action) {
    try {
      action.run();
    } catch (RuntimeException | Error bug) {
      broken.completeExceptionally(bug);
    }
  }
}
