package dev.stator.cluster;

import dev.stator.cluster.LocalNode.State;
import dev.stator.request.SessionHub;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;

/** Where a node stands. <b>Threads:</b> any. */
final class NodeStatus {
  private final CompletableFuture<ActorRef<SessionHub.Command>> hub = new CompletableFuture<>();
  private final CompletableFuture<Done> ready = new CompletableFuture<>();
  private final CompletableFuture<Done> stopped = new CompletableFuture<>();
  private State state = State.STARTING; // Guarded by this.

  synchronized State state() {
    return state;
  }

  CompletableFuture<ActorRef<SessionHub.Command>> hub() {
    return hub;
  }

  CompletableFuture<Done> ready() {
    return ready;
  }

  CompletableFuture<Done> stopped() {
    return stopped;
  }

  void onOpened(ActorRef<SessionHub.Command> sessions) {
    hub.complete(sessions);
  }

  void onReady() {
    advance(State.SERVING);
    ready.complete(Done.getInstance());
  }

  void onDraining() {
    advance(State.DRAINING);
  }

  void onFailed(String reason) {
    ready.completeExceptionally(new IllegalStateException(reason));
  }

  void onStopped() {
    advance(State.STOPPED);
    final var tooLate = new IllegalStateException("the node has stopped");
    hub.completeExceptionally(tooLate);
    ready.completeExceptionally(tooLate);
    stopped.complete(Done.getInstance());
  }

  /** States only go forward. */
  private synchronized void advance(State next) {
    if (next.compareTo(state) > 0) state = next;
  }
}
