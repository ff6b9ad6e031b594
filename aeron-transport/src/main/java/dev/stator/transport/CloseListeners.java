package dev.stator.transport;

import java.util.ArrayList;
import java.util.List;

/** Who wants to know before something goes. <b>Threads:</b> any. */
final class CloseListeners<T> {
  private final List<T> listeners = new ArrayList<>(); // Guarded by this, as is closed.
  private boolean closed;

  /** {@code false} when it has gone. */
  synchronized boolean add(T listener) {
    if (!closed) listeners.add(listener);
    return !closed;
  }

  /** Does nothing for who has not been listening. */
  synchronized void remove(T listener) {
    listeners.remove(listener);
  }

  /** From now on it has gone; returns who wanted to know. */
  synchronized List<T> close() {
    closed = true;
    final List<T> all = List.copyOf(listeners);
    listeners.clear();
    return all;
  }
}
