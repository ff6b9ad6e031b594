package dev.stator.cluster;

import dev.stator.protocol.RouterCommand;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.BehaviorSignalInterceptor;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.Signal;
import org.apache.pekko.actor.typed.TypedActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** Keeps a node's figures to the routers that run on it. */
final class ModelFigures {
  private ModelFigures() {}

  /** A router whose figures are forgotten when it ends here. */
  static Behavior<RouterCommand> forgettingRouter(
      NodeFigures figures, String model, Behavior<RouterCommand> router) {
    return Behaviors.intercept(
        () ->
            new BehaviorSignalInterceptor<RouterCommand>() {
              @Override
              public Behavior<RouterCommand> aroundSignal(
                  TypedActorContext<RouterCommand> context,
                  Signal signal,
                  SignalTarget<RouterCommand> target) {
                if (signal instanceof PostStop) figures.routerLeft(model);
                return target.apply(context, signal);
              }
            },
        router);
  }
}
