package dev.stator.worker;

import dev.stator.protocol.DecodeCommand;
import dev.stator.protocol.PrefillCommand;
import dev.stator.protocol.WorkerId;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;

/**
 * Where the actors of a worker's roles run: below the worker, or as entities of a cluster.
 *
 * <p><b>Threads:</b> called by workers, each on its own thread.
 */
public interface RoleHost {
  /**
   * Gets an actor of the role going, now or later. The behaviour tells the worker when it has
   * started, so a later one is asked for again until then.
   *
   * @return the actor, when it is there at once
   */
  Optional<ActorRef<DecodeCommand>> openDecode(
      ActorContext<?> worker, WorkerId id, Behavior<DecodeCommand> role);

  /** As {@link #openDecode}. */
  Optional<ActorRef<PrefillCommand>> openPrefill(
      ActorContext<?> worker, WorkerId id, Behavior<PrefillCommand> role);

  /** Whether a role that the worker has lost ends when nothing of it runs any more. */
  boolean endsLostRoles();

  /** The worker has ended; what has not started by now need not start. */
  void forget(WorkerId id);

  /** Both roles below the worker, for as long as it lives. */
  static RoleHost local() {
    return new RoleHost() {
      @Override
      public Optional<ActorRef<DecodeCommand>> openDecode(
          ActorContext<?> worker, WorkerId id, Behavior<DecodeCommand> role) {
        return Optional.of(worker.spawn(role, "decode"));
      }

      @Override
      public Optional<ActorRef<PrefillCommand>> openPrefill(
          ActorContext<?> worker, WorkerId id, Behavior<PrefillCommand> role) {
        return Optional.of(worker.spawn(role, "prefill"));
      }

      @Override
      public boolean endsLostRoles() {
        return false;
      }

      @Override
      public void forget(WorkerId id) {}
    };
  }
}
