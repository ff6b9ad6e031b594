package dev.stator.cluster;

import dev.stator.cluster.LocalNode.State;
import dev.stator.request.SessionHub;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;

/** Where a node stands. <b>Threads:</b> its guardian writes, any may read and wait. */
final class NodeStatus {
  private final CompletableFuture<ActorRef<SessionHub.Command>> hub = new CompletableFuture<>();
  private final CompletableFuture<Done> ready = new CompletableFuture<>();
  private final CompletableFuture<Done> stopped = new CompletableFuture<>();
  private volatile State state = State.STARTING;

  State state() {
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
    if (state == State.STARTING) state = State.SERVING;
    ready.complete(Done.getInstance());
  }

  void onDraining() {
    state = State.DRAINING;
  }

  void onFailed(String reason) {
    ready.completeExceptionally(new IllegalStateException(reason));
  }

  void onStopped() {
    state = State.STOPPED;
    final var tooLate = new IllegalStateException("the node has stopped");
    hub.completeExceptionally(tooLate);
    ready.completeExceptionally(tooLate);
    stopped.complete(Done.getInstance());
  }
}
