package dev.stator.planner;

import dev.stator.protocol.EngineWork;
import dev.stator.protocol.PlannerCommand;
import dev.stator.protocol.TrafficReport;
import dev.stator.protocol.WorkerCommand;
import dev.stator.protocol.WorkerCommand.RolesTaken;
import dev.stator.protocol.WorkerId;
import dev.stator.protocol.WorkerReport;
import dev.stator.protocol.WorkerUp;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * Moves a model's slots between prefill and decode. One planner a model: slots of different models
 * cannot stand in for each other. What is decided is {@link PlannerCore}'s.
 *
 * <pre>
 *   reports ──▶ WATCHING ── interval ──▶ decisions ── TakeRoles ──▶ workers ── RolesTaken ──▶ WATCHING
 * </pre>
 *
 * Nothing stops when the planner does: workers keep their roles, and the next one rebuilds all from
 * reports.
 */
public final class Planner extends AbstractBehavior<Planner.Command> {
  /** What comes in; the outside speaks {@link PlannerCommand}. */
  sealed interface Command {}

  private record Received(PlannerCommand command) implements Command {}

  private record Decide() implements Command {} // Our own timer's message.

  private record Moved(RolesTaken taken) implements Command {}

  /**
   * @param onDecision gets every decision; called on the planner's thread
   */
  public static Behavior<PlannerCommand> create(
      PlannerSettings settings, Consumer<PlannerDecision> onDecision) {
    final Behavior<Command> inner =
        Behaviors.setup(context ->
            Behaviors.withTimers(timers -> new Planner(context, timers, settings, onDecision)));
    return Behaviors.transformMessages(
        PlannerCommand.class, inner, builder -> builder.match(PlannerCommand.class, Received::new));
  }

  private final PlannerSettings settings;
  private final Consumer<PlannerDecision> onDecision;
  private final PlannerCore core;
  private final ActorRef<WorkerUp> introductions;
  private final ActorRef<RolesTaken> answers;
  private final Map<WorkerId, ActorRef<WorkerCommand>> workers = new HashMap<>();

  private Planner(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      PlannerSettings settings,
      Consumer<PlannerDecision> onDecision) {
    super(context);
    context.setLoggerName(Planner.class);
    this.settings = settings;
    this.onDecision = onDecision;
    this.core = new PlannerCore(settings);
    this.introductions = context.messageAdapter(WorkerUp.class, Received::new);
    this.answers = context.messageAdapter(RolesTaken.class, Moved::new);
    if (settings.enabled()) timers.startTimerWithFixedDelay(new Decide(), settings.interval());
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onAnyMessage(this::onMessage)
        .onSignal(Terminated.class, this::onTerminated)
        .build();
  }

  private Behavior<Command> onMessage(Command command) {
    switch (command) {
      case Received(WorkerUp up) -> {
        final WorkerId id = up.description().id();
        if (!core.reported(id, up.roles(), up.load())) meet(id, up.worker());
        core.described(up.description());
      }
      case Received(WorkerReport report) -> {
        if (!core.reported(report.id(), report.roles(), report.load())) {
          meet(report.id(), report.worker());
          report.worker().tell(new WorkerCommand.Introduce(introductions));
        }
      }
      case Received(EngineWork(var id, var steps)) -> core.worked(id, steps);
      case Received(TrafficReport traffic) -> core.asked(traffic);
      case Decide() -> core.endInterval().forEach(this::carryOut);
      case Moved(RolesTaken(var id, var roles)) -> {
        getContext().getLog().info("Worker [{}] has moved to {}", id, roles);
        core.taken(id);
      }
    }
    return this;
  }

  private void meet(WorkerId id, ActorRef<WorkerCommand> worker) {
    workers.put(id, worker);
    getContext().watch(worker);
  }

  private void carryOut(PlannerDecision decision) {
    onDecision.accept(decision);
    switch (decision) {
      case PlannerDecision.Hold hold -> getContext().getLog().debug("{}", hold);
      case PlannerDecision.Move move -> {
        getContext().getLog().info("{}{}", settings.dryRun() ? "Dry run: " : "", move);
        if (settings.dryRun()) return;
        final var takeRoles = new WorkerCommand.TakeRoles(Set.of(move.to()), answers);
        workers.get(move.worker()).tell(takeRoles);
      }
    }
  }

  private Behavior<Command> onTerminated(Terminated signal) {
    for (Map.Entry<WorkerId, ActorRef<WorkerCommand>> worker : List.copyOf(workers.entrySet())) {
      if (!worker.getValue().equals(signal.getRef())) continue;
      workers.remove(worker.getKey());
      core.gone(worker.getKey());
    }
    return this;
  }
}
