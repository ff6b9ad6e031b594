package dev.stator.cluster;

import dev.stator.planner.Planner;
import dev.stator.planner.PlannerDecision;
import dev.stator.planner.PlannerSettings;
import dev.stator.protocol.ClusterMessage;
import dev.stator.protocol.PlannerCommand;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;

/**
 * The cluster's one planner: a {@link Planner} a model. Workers of a model never move to another.
 */
final class PlannerHost extends AbstractBehavior<PlannerHost.ForModel> {
  /** A word to one model's planner. */
  record ForModel(String model, PlannerCommand command) implements ClusterMessage {}

  /**
   * @param modelsMax further ones are ignored, and logged
   * @param onDecision gets every decision with its model; called on planners' threads
   * @param onEnd called when the planner leaves this node
   */
  record Parts(
      PlannerSettings settings,
      int modelsMax,
      BiConsumer<String, PlannerDecision> onDecision,
      Runnable onEnd) {}

  static Behavior<ForModel> create(Parts parts) {
    return Behaviors.setup(context -> new PlannerHost(context, parts));
  }

  /** What a model's nodes tell is passed to its planner. */
  static Behavior<PlannerCommand> proxy(ActorRef<ForModel> host, String model) {
    return Behaviors.receiveMessage(command -> {
      host.tell(new ForModel(model, command));
      return Behaviors.same();
    });
  }

  private final Parts parts;
  private final Map<String, ActorRef<PlannerCommand>> planners = new HashMap<>();

  private PlannerHost(ActorContext<ForModel> context, Parts parts) {
    super(context);
    context.setLoggerName(PlannerHost.class);
    this.parts = parts;
    context.getLog().info("The planner runs here");
  }

  @Override
  public Receive<ForModel> createReceive() {
    return newReceiveBuilder()
        .onAnyMessage(this::onMessage)
        .onSignal(PostStop.class, signal -> onStop())
        .build();
  }

  private Behavior<ForModel> onMessage(ForModel message) {
    ActorRef<PlannerCommand> planner = planners.get(message.model());
    if (planner == null) {
      if (planners.size() >= parts.modelsMax()) {
        getContext()
            .getLog()
            .warn("No planner for [{}]: cluster.models-max is reached", message.model());
        return this;
      }
      planner = start(message.model());
    }
    planner.tell(message.command());
    return this;
  }

  private ActorRef<PlannerCommand> start(String model) {
    final Behavior<PlannerCommand> behavior =
        Planner.create(parts.settings(), decision -> parts.onDecision().accept(model, decision));
    final ActorRef<PlannerCommand> planner =
        getContext()
            .spawnAnonymous(Behaviors.supervise(behavior).onFailure(SupervisorStrategy.restart()));
    planners.put(model, planner);
    return planner;
  }

  private Behavior<ForModel> onStop() {
    parts.onEnd().run();
    return this;
  }
}
