package dev.stator.http;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;

/** Bounds the requests in progress, and tells when there are none. Any thread. */
final class RequestGate {
  /** A place; given back once, by the first {@link #close}. */
  final class Permit implements AutoCloseable {
    private final AtomicBoolean isOpen = new AtomicBoolean(true);

    @Override
    public void close() {
      if (isOpen.compareAndSet(true, false)) leave();
    }
  }

  private final int max;
  private final CompletableFuture<Void> idle = new CompletableFuture<>();
  private int count;
  private boolean isClosed;

  RequestGate(int max) {
    this.max = max;
  }

  int max() {
    return max;
  }

  /** A place, unless all are taken or the gate is closed. */
  synchronized Optional<Permit> tryEnter() {
    if (isClosed || count == max) return Optional.empty();
    count++;
    return Optional.of(new Permit());
  }

  /** Lets nobody in any more; the stage completes when the last one has left. */
  CompletionStage<Void> close() {
    boolean isIdle;
    synchronized (this) {
      isClosed = true;
      isIdle = count == 0;
    }
    if (isIdle) idle.complete(null);
    return idle;
  }

  synchronized int count() {
    return count;
  }

  private void leave() {
    boolean isIdle;
    synchronized (this) {
      count--;
      isIdle = isClosed && count == 0;
    }
    if (isIdle) idle.complete(null); // Not under the lock: it runs what waits.
  }
}
