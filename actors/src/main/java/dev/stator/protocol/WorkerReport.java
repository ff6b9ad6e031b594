package dev.stator.protocol;

import dev.stator.engine.EngineLoad;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * What a worker holds now; sent every report interval and when its roles change. No roles means
 * that it drains.
 */
public record WorkerReport(
    WorkerId id,
    Set<WorkerRole> roles,
    EngineLoad load,
    WorkRates rates,
    ActorRef<WorkerCommand> worker)
    implements RouterCommand, PlannerCommand {
  public WorkerReport {
    roles = Set.copyOf(roles);
  }
}
