package dev.stator.cluster;

import dev.stator.protocol.DecodeCommand;
import dev.stator.protocol.PrefillCommand;
import dev.stator.protocol.WorkerId;
import dev.stator.worker.RoleHost;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.sharding.typed.ShardingEnvelope;
import org.apache.pekko.cluster.sharding.typed.javadsl.StartEntity;

/**
 * A node's slots as they offer themselves to entities. A worker that wants a role offers its slot
 * and asks for the entity; the entity takes the offer, once, and becomes the role's actor. An
 * entity that finds no offer ends at once.
 *
 * <p><b>Threads:</b> any. Bounded by the node's slots.
 */
final class ShardedRoles implements RoleHost {
  private record Offer<T>(WorkerId id, Behavior<T> role) {}

  private final Map<String, Offer<DecodeCommand>> decodeOffers = new ConcurrentHashMap<>();
  private final Map<String, Offer<PrefillCommand>> prefillOffers = new ConcurrentHashMap<>();
  private final ActorRef<ShardingEnvelope<DecodeCommand>> decodes;
  private final ActorRef<ShardingEnvelope<PrefillCommand>> prefills;

  ShardedRoles(EntityKinds kinds) {
    this.decodes = kinds.startDecodes(slot -> take(decodeOffers, slot));
    this.prefills = kinds.startPrefills(slot -> take(prefillOffers, slot));
  }

  private static <T> Behavior<T> take(Map<String, Offer<T>> offers, String slot) {
    final Offer<T> offer = offers.remove(slot);
    return offer == null ? Behaviors.stopped() : offer.role();
  }

  @Override
  public Optional<ActorRef<DecodeCommand>> openDecode(
      ActorContext<?> worker, WorkerId id, Behavior<DecodeCommand> role) {
    decodeOffers.put(id.slot(), new Offer<>(id, role));
    decodes.tell(StartEntity.create(DecodeCommand.class, id.slot()));
    return Optional.empty();
  }

  @Override
  public Optional<ActorRef<PrefillCommand>> openPrefill(
      ActorContext<?> worker, WorkerId id, Behavior<PrefillCommand> role) {
    prefillOffers.put(id.slot(), new Offer<>(id, role));
    prefills.tell(StartEntity.create(PrefillCommand.class, id.slot()));
    return Optional.empty();
  }

  @Override
  public boolean endsLostRoles() {
    return true;
  }

  @Override
  public void forget(WorkerId id) {
    decodeOffers.computeIfPresent(id.slot(), (slot, offer) -> offer.id().equals(id) ? null : offer);
    prefillOffers.computeIfPresent(
        id.slot(), (slot, offer) -> offer.id().equals(id) ? null : offer);
  }
}
