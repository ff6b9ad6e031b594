package dev.stator.cluster;

import java.util.Comparator;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.ClusterEvent.CurrentClusterState;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.sharding.ShardCoordinator.AbstractShardAllocationStrategy;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.dispatch.Futures;
import scala.collection.immutable.IndexedSeq;
import scala.concurrent.Future;

/**
 * Where the entities of a kind run. Used by the kind's coordinator, on its thread.
 *
 * <p>A shard is one entity, so its id is the entity's.
 */
abstract class ShardAllocation extends AbstractShardAllocationStrategy {
  private final Cluster cluster;

  private ShardAllocation(ActorSystem<?> system) {
    this.cluster = Cluster.get(system);
  }

  /** Each slot's entity on the node that has the slot, and nowhere else. */
  static ShardAllocation bySlot(ActorSystem<?> system) {
    return new ShardAllocation(system) {
      @Override
      Optional<ActorRef> place(String slot, Map<ActorRef, IndexedSeq<String>> regions) {
        return Members.named(EntityKinds.nodeOf(slot), state())
            .map(Member::address)
            .flatMap(address ->
                regions.keySet().stream()
                    .filter(region -> addressOf(region).equals(address))
                    .findFirst());
      }

      @Override
      boolean isMisplaced(String slot, ActorRef region) {
        return Members.named(EntityKinds.nodeOf(slot), state())
            .map(member -> !member.address().equals(addressOf(region)))
            .orElse(false);
      }
    };
  }

  /** On the node with the fewest, and there it stays: moving one costs its state. */
  static ShardAllocation staying(ActorSystem<?> system) {
    return new ShardAllocation(system) {
      @Override
      Optional<ActorRef> place(String entity, Map<ActorRef, IndexedSeq<String>> regions) {
        return regions.entrySet().stream()
            .filter(region -> isStaying(addressOf(region.getKey())))
            .min(
                Comparator.comparingInt((Map.Entry<ActorRef, IndexedSeq<String>> region) ->
                        region.getValue().size())
                    .thenComparing(region -> addressOf(region.getKey()).toString()))
            .map(Map.Entry::getKey);
      }

      @Override
      boolean isMisplaced(String entity, ActorRef region) {
        return false;
      }
    };
  }

  /** The region for a new shard; empty while there is none. */
  abstract Optional<ActorRef> place(String shardId, Map<ActorRef, IndexedSeq<String>> regions);

  /** Whether a shard has to leave its region. */
  abstract boolean isMisplaced(String shardId, ActorRef region);

  @Override
  public final Future<ActorRef> allocateShard(
      ActorRef requester, String shardId, Map<ActorRef, IndexedSeq<String>> regions) {
    // Without a place the question stays open: the region that asks does so again, and gives up the
    // old one.
    return place(shardId, regions)
        .map(Futures::successful)
        .orElseGet(() -> Futures.<ActorRef>promise().future());
  }

  @Override
  public final Future<Set<String>> rebalance(
      Map<ActorRef, IndexedSeq<String>> regions, Set<String> inProgress) {
    final Set<String> misplaced = new HashSet<>();
    regions.forEach((region, shards) -> {
      for (int i = 0; i < shards.size(); i++) {
        final String shard = shards.apply(i);
        if (!inProgress.contains(shard) && isMisplaced(shard, region)) misplaced.add(shard);
      }
    });
    return Futures.successful(misplaced);
  }

  final CurrentClusterState state() {
    return cluster.state();
  }

  /** A region beside the coordinator has a path without an address. */
  final Address addressOf(ActorRef region) {
    final Address address = region.path().address();
    return address.hasLocalScope() ? cluster.selfMember().address() : address;
  }

  final boolean isStaying(Address address) {
    final CurrentClusterState state = state();
    return Members.all(state)
        .filter(member -> member.address().equals(address))
        .anyMatch(member -> Members.isStaying(member) && !state.getUnreachable().contains(member));
  }
}
