package dev.stator.cluster;

import dev.stator.cluster.ClusterNode.Ending;
import dev.stator.cluster.LocalNode.State;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.Done;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.actor.typed.ActorSystem;

/** Where a cluster node stands. <b>Threads:</b> any. */
final class ClusterStatus {
  /** Why we end the actor system. */
  record EndReason(Ending ending) implements CoordinatedShutdown.Reason {}

  private final ActorSystem<?> system;
  private final Optional<String> firstPhase;
  private final CompletableFuture<Done> ready = new CompletableFuture<>();
  private final CompletableFuture<Ending> stopped = new CompletableFuture<>();
  private State state = State.STARTING; // Guarded by this.

  ClusterStatus(ActorSystem<?> system, NodeIdentity self) {
    this.system = system;
    // A node that hosts no routers has nothing to hand over, for its entities ended with their
    // slots. Its regions would wait for routers to take what is buffered, though all have gone.
    this.firstPhase =
        self.has(NodeRole.ROUTER)
            ? Optional.empty()
            : Optional.of(CoordinatedShutdown.PhaseClusterLeave());
    system.getWhenTerminated().whenComplete((done, failure) -> onTerminated());
  }

  synchronized State state() {
    return state;
  }

  CompletableFuture<Done> ready() {
    return ready;
  }

  CompletableFuture<Ending> stopped() {
    return stopped;
  }

  void onReady() {
    advance(State.SERVING);
    ready.complete(Done.getInstance());
  }

  void onDraining() {
    advance(State.DRAINING);
  }

  /** Leaves the cluster and ends the actor system; the first reason counts. */
  void end(boolean expected, String reason) {
    onDraining();
    if (!expected) ready.completeExceptionally(new IllegalStateException(reason));
    final var ending = new EndReason(new Ending(expected, reason));
    CoordinatedShutdown.get(system).run(ending, firstPhase);
  }

  private void onTerminated() {
    advance(State.STOPPED);
    final Ending ending =
        CoordinatedShutdown.get(system)
            .getShutdownReason()
            .map(ClusterStatus::ending)
            .orElseGet(() -> new Ending(true, "the node was stopped"));
    ready.completeExceptionally(new IllegalStateException(ending.reason()));
    stopped.complete(ending);
  }

  private static Ending ending(CoordinatedShutdown.Reason reason) {
    if (reason instanceof EndReason(var ending)) return ending;
    if (reason.equals(CoordinatedShutdown.clusterDowningReason())) {
      return new Ending(
          false,
          "the cluster has removed this node because it did not answer, or it was cut off from"
              + " the majority; start it again");
    }
    if (reason.equals(CoordinatedShutdown.incompatibleConfigurationDetectedReason())) {
      return new Ending(
          false, "the cluster's nodes have other settings than this one; see the log");
    }
    if (reason.equals(CoordinatedShutdown.clusterJoinUnsuccessfulReason())) {
      return new Ending(false, "no seed node has answered");
    }
    return new Ending(true, "the node was stopped");
  }

  /** States only go forward. */
  private synchronized void advance(State next) {
    if (next.compareTo(state) > 0) state = next;
  }
}
