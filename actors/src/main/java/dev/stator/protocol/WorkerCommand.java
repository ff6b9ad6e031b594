package dev.stator.protocol;

import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;

/** To a worker as a whole. */
public sealed interface WorkerCommand extends ClusterMessage {
  /** Asks for all blocks that can be found here, as {@link KvDumpPart}s. */
  record DumpKv(ActorRef<? super KvDumpPart> replyTo) implements WorkerCommand {}

  /** The sender does not know this worker; answered by {@link WorkerUp}. */
  record Introduce(ActorRef<? super WorkerUp> replyTo) implements WorkerCommand {}

  /**
   * Changes what the worker is asked to do. New work of a lost role is refused at once; what runs
   * is finished, then {@link RolesTaken} answers. No roles at all is a drain.
   */
  record TakeRoles(Set<WorkerRole> roles, ActorRef<RolesTaken> replyTo) implements WorkerCommand {
    public TakeRoles {
      roles = Set.copyOf(roles);
    }
  }

  /** Tells what runs to go on elsewhere, at once. */
  record Evict(String reason) implements WorkerCommand {}

  /** The roles are taken and nothing of a lost role runs any more. */
  record RolesTaken(WorkerId id, Set<WorkerRole> roles) implements ClusterMessage {}
}
