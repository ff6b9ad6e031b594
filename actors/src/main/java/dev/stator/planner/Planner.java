package dev.stator.planner;

import dev.stator.engine.EngineLoad;
import dev.stator.protocol.EngineWork;
import dev.stator.protocol.PlannerCommand;
import dev.stator.protocol.TrafficReport;
import dev.stator.protocol.WorkerCommand;
import dev.stator.protocol.WorkerCommand.RolesTaken;
import dev.stator.protocol.WorkerId;
import dev.stator.protocol.WorkerReport;
import dev.stator.protocol.WorkerRole;
import dev.stator.protocol.WorkerUp;
import java.util.LinkedHashMap;
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
 * Moves slots between prefill and decode, one at a time.
 *
 * <pre>
 *   WATCHING ── interval: Move ──TakeRoles──▶ MOVING ── RolesTaken │ worker gone ──▶ WATCHING
 * </pre>
 *
 * Nothing stops when the planner does.
 */
public final class Planner extends AbstractBehavior<Planner.Command> {
  /** What comes in; the outside speaks {@link PlannerCommand}. */
  sealed interface Command {}

  private record Received(PlannerCommand command) implements Command {}

  private record Decide() implements Command {} // Our own timer's message.

  private record Moved(RolesTaken taken) implements Command {}

  private record Slot(Set<WorkerRole> roles, EngineLoad load, ActorRef<WorkerCommand> worker) {}

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
  private final SizingModel model;
  private final Map<WorkerId, Slot> slots = new LinkedHashMap<>();
  private WorkerId moving; // Null while nothing moves.

  private Planner(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      PlannerSettings settings,
      Consumer<PlannerDecision> onDecision) {
    super(context);
    this.settings = settings;
    this.onDecision = onDecision;
    this.model = new SizingModel(settings);
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
      case Received(WorkerUp up) ->
          observe(up.description().id(), new Slot(up.roles(), up.load(), up.worker()));
      case Received(WorkerReport report) ->
          observe(report.id(), new Slot(report.roles(), report.load(), report.worker()));
      case Received(EngineWork work) -> {}
      case Received(TrafficReport traffic) -> {}
      case Decide() -> {
        if (moving == null) decide();
      }
      case Moved(RolesTaken(var id, var roles)) -> {
        getContext().getLog().info("Worker [{}] has moved to {}", id, roles);
        if (id.equals(moving)) moving = null;
      }
    }
    return this;
  }

  private void observe(WorkerId id, Slot slot) {
    if (slots.put(id, slot) == null) getContext().watch(slot.worker());
  }

  private void decide() {
    final List<SizingModel.Observation> observations =
        slots.entrySet().stream()
            .map(entry ->
                new SizingModel.Observation(
                    entry.getKey(), entry.getValue().roles(), entry.getValue().load()))
            .toList();
    final PlannerDecision decision = model.decide(observations);
    onDecision.accept(decision);
    switch (decision) {
      case PlannerDecision.Hold hold -> getContext().getLog().debug("{}", hold);
      case PlannerDecision.Move move -> {
        getContext().getLog().info("{}{}", settings.dryRun() ? "Dry run: " : "", move);
        if (!settings.dryRun()) start(move);
      }
    }
  }

  private void start(PlannerDecision.Move move) {
    moving = move.worker();
    final ActorRef<RolesTaken> answer = getContext().messageAdapter(RolesTaken.class, Moved::new);
    slots.get(moving).worker().tell(new WorkerCommand.TakeRoles(Set.of(move.to()), answer));
  }

  private Behavior<Command> onTerminated(Terminated signal) {
    slots
        .entrySet()
        .removeIf(entry -> {
          final boolean isGone = entry.getValue().worker().equals(signal.getRef());
          if (isGone && entry.getKey().equals(moving)) moving = null;
          return isGone;
        });
    return this;
  }
}
