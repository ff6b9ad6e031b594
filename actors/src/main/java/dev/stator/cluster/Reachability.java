package dev.stator.cluster;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.cluster.ClusterEvent.ClusterDomainEvent;
import org.apache.pekko.cluster.ClusterEvent.MemberRemoved;
import org.apache.pekko.cluster.ClusterEvent.ReachabilityChanged;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.UniqueAddress;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Subscribe;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Says which nodes do not answer, long before the cluster counts them as gone.
 *
 * <p>A node counts as lost when this one misses it, or two others do: one that has hung misses
 * everybody when it wakes, and nobody must leave the workers for its word.
 */
final class Reachability extends AbstractBehavior<ClusterDomainEvent> {
  private static final int WITNESSES_MIN = 2;

  /**
   * @param onLost called on this actor's thread
   * @param onFound the node is back, or gone for good; also called for nodes that were never lost
   */
  static Behavior<ClusterDomainEvent> create(Consumer<Address> onLost, Consumer<Address> onFound) {
    return Behaviors.setup(context -> new Reachability(context, onLost, onFound));
  }

  private final Consumer<Address> onLost;
  private final Consumer<Address> onFound;
  private final Cluster cluster;
  private Set<UniqueAddress> lost = Set.of();

  private Reachability(
      ActorContext<ClusterDomainEvent> context,
      Consumer<Address> onLost,
      Consumer<Address> onFound) {
    super(context);
    this.onLost = onLost;
    this.onFound = onFound;
    this.cluster = Cluster.get(context.getSystem());
    cluster
        .subscriptions()
        .tell(Subscribe.create(context.getSelf().narrow(), ReachabilityChanged.class));
    cluster.subscriptions().tell(Subscribe.create(context.getSelf().narrow(), MemberRemoved.class));
  }

  /**
   * Who is missed by enough.
   *
   * @param hasWord who may say so
   */
  static Set<UniqueAddress> lost(
      org.apache.pekko.cluster.Reachability said,
      UniqueAddress self,
      Predicate<UniqueAddress> hasWord) {
    final Map<UniqueAddress, Integer> witnesses = new HashMap<>();
    CollectionConverters.asJava(said.records())
        .forEach(word -> {
          final boolean misses = !said.isReachable(word.observer(), word.subject());
          if (misses && hasWord.test(word.observer())) {
            final int weight = word.observer().equals(self) ? WITNESSES_MIN : 1;
            witnesses.merge(word.subject(), weight, Integer::sum);
          }
        });
    return witnesses.entrySet().stream()
        .filter(entry -> entry.getValue() >= WITNESSES_MIN)
        .map(Map.Entry::getKey)
        .collect(Collectors.toUnmodifiableSet());
  }

  @Override
  public Receive<ClusterDomainEvent> createReceive() {
    return newReceiveBuilder().onAnyMessage(this::onEvent).build();
  }

  private Behavior<ClusterDomainEvent> onEvent(ClusterDomainEvent event) {
    switch (event) {
      case ReachabilityChanged changed -> weigh(changed.reachability());
      case MemberRemoved gone -> onFound.accept(gone.member().address());
      default -> {} // Pekko's own further events.
    }
    return this;
  }

  private void weigh(org.apache.pekko.cluster.Reachability said) {
    final Set<UniqueAddress> down =
        Members.all(cluster.state())
            .filter(member -> member.status().equals(MemberStatus.down()))
            .map(Member::uniqueAddress)
            .collect(Collectors.toSet());
    final Set<UniqueAddress> now =
        lost(said, cluster.selfMember().uniqueAddress(), node -> !down.contains(node));
    final Set<UniqueAddress> before = new HashSet<>(lost);
    lost = now;
    now.stream().filter(node -> !before.contains(node)).forEach(node -> tell(onLost, node));
    before.stream().filter(node -> !now.contains(node)).forEach(node -> tell(onFound, node));
  }

  private static void tell(Consumer<Address> whom, UniqueAddress node) {
    whom.accept(node.address());
  }
}
