package dev.stator.http;

import java.util.HashSet;
import java.util.Set;

/**
 * One client's TCP connection, as far as requests on it care: when the client goes away, what runs
 * for it is told at once. Any thread.
 */
final class ClientConnection {
  private final Set<Runnable> onGone = new HashSet<>();
  private boolean isGone;

  /** The client has closed its end, or the connection broke. */
  void gone() {
    Set<Runnable> told;
    synchronized (this) {
      if (isGone) return;
      isGone = true;
      told = Set.copyOf(onGone);
      onGone.clear();
    }
    told.forEach(Runnable::run);
  }

  /** Runs the action when the client goes away; at once if it has. */
  void onGone(Runnable action) {
    synchronized (this) {
      if (!isGone) {
        onGone.add(action);
        return;
      }
    }
    action.run();
  }

  /** The action is not needed any more. */
  synchronized void forget(Runnable action) {
    onGone.remove(action);
  }
}
