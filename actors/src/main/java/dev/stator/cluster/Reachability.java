package dev.stator.cluster;

import java.util.function.Consumer;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.cluster.ClusterEvent.ClusterDomainEvent;
import org.apache.pekko.cluster.ClusterEvent.MemberRemoved;
import org.apache.pekko.cluster.ClusterEvent.ReachabilityEvent;
import org.apache.pekko.cluster.ClusterEvent.ReachableMember;
import org.apache.pekko.cluster.ClusterEvent.UnreachableMember;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Subscribe;

/** Says which nodes do not answer, long before the cluster counts them as gone. */
final class Reachability extends AbstractBehavior<ClusterDomainEvent> {
  /**
   * @param onLost called on this actor's thread
   * @param onFound the node is back, or gone for good; also called for nodes that were never lost
   */
  static Behavior<ClusterDomainEvent> create(Consumer<Address> onLost, Consumer<Address> onFound) {
    return Behaviors.setup(context -> new Reachability(context, onLost, onFound));
  }

  private final Consumer<Address> onLost;
  private final Consumer<Address> onFound;

  private Reachability(
      ActorContext<ClusterDomainEvent> context,
      Consumer<Address> onLost,
      Consumer<Address> onFound) {
    super(context);
    this.onLost = onLost;
    this.onFound = onFound;
    final Cluster cluster = Cluster.get(context.getSystem());
    cluster
        .subscriptions()
        .tell(Subscribe.create(context.getSelf().narrow(), ReachabilityEvent.class));
    cluster.subscriptions().tell(Subscribe.create(context.getSelf().narrow(), MemberRemoved.class));
  }

  @Override
  public Receive<ClusterDomainEvent> createReceive() {
    return newReceiveBuilder().onAnyMessage(this::onEvent).build();
  }

  private Behavior<ClusterDomainEvent> onEvent(ClusterDomainEvent event) {
    switch (event) {
      case UnreachableMember lost -> onLost.accept(lost.member().address());
      case ReachableMember found -> onFound.accept(found.member().address());
      case MemberRemoved gone -> onFound.accept(gone.member().address());
      default -> {} // Pekko's own further events.
    }
    return this;
  }
}
