package dev.stator.protocol;

import dev.stator.engine.EngineLoad;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * A worker introduces itself: at its start, to whoever does not know it, and when its roles have
 * other actors.
 *
 * @param worker terminates when the worker does
 * @param decode {@code null} while the worker does not have the role
 * @param prefill {@code null} while the worker does not have the role
 * @param lender sends cached blocks, whatever the worker's roles
 */
public record WorkerUp(
    WorkerDescription description,
    Set<WorkerRole> roles,
    EngineLoad load,
    ActorRef<WorkerCommand> worker,
    ActorRef<DecodeCommand> decode,
    ActorRef<PrefillCommand> prefill,
    ActorRef<PrefillCommand> lender)
    implements RouterCommand, PlannerCommand {
  public WorkerUp {
    roles = Set.copyOf(roles);
  }
}
