package dev.stator.cluster;

import dev.stator.cache.CacheBlocks;
import dev.stator.cache.CacheSettings;
import dev.stator.protocol.CacheCommand;
import dev.stator.protocol.DecodeCommand;
import dev.stator.protocol.PrefillCommand;
import dev.stator.protocol.RouterCommand;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.sharding.typed.ShardingEnvelope;
import org.apache.pekko.cluster.sharding.typed.ShardingMessageExtractor;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.Entity;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;

/**
 * The sharded entities of a cluster.
 *
 * <pre>
 *   router       one a model                    id: the model's name      on router nodes
 *   cache-block  the directory's parts          id: model/part            on router nodes
 *   decode       a slot's actor of that role    id: node/slot             on the node that has the slot
 *   prefill      the same                       id: node/slot             on the node that has the slot
 * </pre>
 *
 * A region is told {@link ShardingEnvelope}s and finds the entity's node.
 */
final class EntityKinds {
  private static final EntityTypeKey<RouterCommand> ROUTER =
      EntityTypeKey.create(RouterCommand.class, "router");
  private static final EntityTypeKey<CacheCommand> CACHE_BLOCK =
      EntityTypeKey.create(CacheCommand.class, "cache-block");
  private static final EntityTypeKey<DecodeCommand> DECODE =
      EntityTypeKey.create(DecodeCommand.class, "decode");
  private static final EntityTypeKey<PrefillCommand> PREFILL =
      EntityTypeKey.create(PrefillCommand.class, "prefill");

  private final ActorSystem<?> system;
  private final ClusterSharding sharding;

  EntityKinds(ActorSystem<?> system) {
    this.system = system;
    this.sharding = ClusterSharding.get(system);
  }

  static String slotName(String nodeName, int index) {
    return nodeName + "/" + index;
  }

  static String nodeOf(String slotName) {
    return slotName.substring(0, slotName.lastIndexOf('/'));
  }

  /**
   * @param behavior a model's router
   */
  ActorRef<ShardingEnvelope<RouterCommand>> startRouters(
      Function<String, Behavior<RouterCommand>> behavior) {
    return sharding.init(
        Entity.of(ROUTER, entity -> restarting(behavior.apply(entity.getEntityId())))
            .withMessageExtractor(oneEntityAShard())
            .withAllocationStrategy(ShardAllocation.staying(system))
            .withRole(NodeRole.ROUTER.text()));
  }

  ActorRef<ShardingEnvelope<CacheCommand>> startCacheBlocks(CacheSettings settings) {
    return sharding.init(
        Entity.of(CACHE_BLOCK, entity -> restarting(CacheBlocks.create(settings)))
            .withMessageExtractor(oneEntityAShard())
            .withAllocationStrategy(ShardAllocation.staying(system))
            .withRole(NodeRole.ROUTER.text()));
  }

  /**
   * @param behavior the role of a slot; stops when no such slot wants one
   */
  ActorRef<ShardingEnvelope<DecodeCommand>> startDecodes(
      Function<String, Behavior<DecodeCommand>> behavior) {
    return sharding.init(
        Entity.of(DECODE, entity -> behavior.apply(entity.getEntityId()))
            .withMessageExtractor(oneEntityAShard())
            .withAllocationStrategy(ShardAllocation.bySlot(system))
            .withRole(Members.WORKER));
  }

  /** As {@link #startDecodes}. */
  ActorRef<ShardingEnvelope<PrefillCommand>> startPrefills(
      Function<String, Behavior<PrefillCommand>> behavior) {
    return sharding.init(
        Entity.of(PREFILL, entity -> behavior.apply(entity.getEntityId()))
            .withMessageExtractor(oneEntityAShard())
            .withAllocationStrategy(ShardAllocation.bySlot(system))
            .withRole(Members.WORKER));
  }

  /** Everything it is told goes to one entity, wherever that runs. */
  static <T> Behavior<T> proxy(ActorRef<ShardingEnvelope<T>> region, String entityId) {
    return Behaviors.receiveMessage(message -> {
      region.tell(new ShardingEnvelope<>(entityId, message));
      return Behaviors.same();
    });
  }

  private static <T> Behavior<T> restarting(Behavior<T> behavior) {
    return Behaviors.supervise(behavior).onFailure(SupervisorStrategy.restart());
  }

  private static <T> ShardingMessageExtractor<ShardingEnvelope<T>, T> oneEntityAShard() {
    return new ShardingMessageExtractor<>() {
      @Override
      public String entityId(ShardingEnvelope<T> envelope) {
        return envelope.entityId();
      }

      @Override
      public String shardId(String entityId) {
        return entityId;
      }

      @Override
      public T unwrapMessage(ShardingEnvelope<T> envelope) {
        return envelope.message();
      }
    };
  }
}
