package dev.stator.cache;

import dev.stator.kv.BlockHash;
import dev.stator.protocol.CacheCommand;
import dev.stator.protocol.CacheCommand.Locate;
import dev.stator.protocol.CacheCommand.Located;
import dev.stator.protocol.CacheCommand.Pin;
import dev.stator.protocol.CacheCommand.PinAnswer;
import dev.stator.protocol.CacheCommand.Unpin;
import dev.stator.protocol.KvBatch;
import dev.stator.protocol.KvDumpPart;
import dev.stator.protocol.KvTier;
import dev.stator.protocol.Placement.BlockSource;
import dev.stator.protocol.WorkerCommand;
import dev.stator.protocol.WorkerId;
import dev.stator.router.PrefixIndex;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * The directory of cached blocks, one {@link PrefixIndex} a tier, and the leases of those who read
 * them.
 *
 * <pre>
 *   a worker: (unknown) ── KvBatch ──▶ DUMPING ── last part ──▶ FOLLOWED ── hole ──▶ DUMPING
 *   a lease:  (none) ── Pin ──▶ PINNED ── Unpin │ life over │ worker gone ──▶ (none)
 * </pre>
 *
 * Exact as far as the events say; whoever reads a block checks what it got. A lease says that a
 * block is being read; it does not keep its worker from evicting it.
 */
public final class CacheBlocks extends AbstractBehavior<CacheBlocks.Command> {
  /** What comes in; the outside speaks {@link CacheCommand}. */
  sealed interface Command {}

  private record Received(CacheCommand command) implements Command {}

  private record LeaseExpired(String leaseId) implements Command {} // Our own timer's, as the next.

  private record DumpOverdue(WorkerId worker) implements Command {}

  public static Behavior<CacheCommand> create(CacheSettings settings) {
    final Behavior<Command> inner =
        Behaviors.setup(
            context -> Behaviors.withTimers(timers -> new CacheBlocks(context, timers, settings)));
    return Behaviors.transformMessages(
        CacheCommand.class, inner, builder -> builder.match(CacheCommand.class, Received::new));
  }

  private final TimerScheduler<Command> timers;
  private final CacheSettings settings;
  private final Map<KvTier, PrefixIndex> tiers = new EnumMap<>(KvTier.class);
  private final Map<WorkerId, ActorRef<WorkerCommand>> workers = new HashMap<>();
  private final LeaseBook leases = new LeaseBook();

  private CacheBlocks(
      ActorContext<Command> context, TimerScheduler<Command> timers, CacheSettings settings) {
    super(context);
    context.setLoggerName(CacheBlocks.class);
    this.timers = timers;
    this.settings = settings;
    for (KvTier tier : KvTier.values()) tiers.put(tier, new PrefixIndex());
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
      case Received(KvBatch batch) -> follow(batch);
      case Received(KvDumpPart part) -> {
        tiers
            .get(part.tier())
            .applyDump(
                part.id(), part.nextSequence(), part.partIndex(), part.last(), part.blocks());
      }
      case Received(Locate(var blocks, var replyTo)) -> replyTo.tell(new Located(locate(blocks)));
      case Received(Pin pin) -> pin.replyTo().tell(pin(pin));
      case Received(Unpin(var leaseId)) -> endLease(leaseId);
      case LeaseExpired(var leaseId) -> {
        getContext().getLog().warn("Lease [{}] expired", leaseId);
        endLease(leaseId);
      }
      case DumpOverdue(var worker) -> {
        final boolean waits = tiers.values().stream().anyMatch(tier -> tier.waitsForDump(worker));
        if (waits && workers.containsKey(worker)) askForDump(worker);
      }
    }
    return this;
  }

  private void follow(KvBatch batch) {
    final WorkerId id = batch.id();
    final PrefixIndex tier = tiers.get(batch.tier());
    if (workers.putIfAbsent(id, batch.worker()) == null) getContext().watch(batch.worker());
    final boolean isNew = !tier.follows(id);
    tier.follow(id);
    final var outcome = tier.apply(id, batch.firstSequence(), batch.events());
    if (isNew || outcome == PrefixIndex.Outcome.GAP) askForDump(id);
  }

  private void askForDump(WorkerId id) {
    workers
        .get(id)
        .tell(new WorkerCommand.DumpKv(getContext().getSelf().<CacheCommand>unsafeUpcast()));
    timers.startSingleTimer(id, new DumpOverdue(id), settings.dumpTimeout());
  }

  private List<BlockSource> locate(List<BlockHash> blocks) {
    final List<BlockSource> sources = new ArrayList<>();
    tiers.forEach((tier, index) ->
        index
            .match(blocks)
            .forEach((worker, count) -> sources.add(new BlockSource(worker, tier, count))));
    sources.sort(
        Comparator.comparingInt(BlockSource::blockCount)
            .reversed()
            .thenComparing(BlockSource::tier));
    return sources;
  }

  private PinAnswer pin(Pin pin) {
    final boolean isNew = !leases.contains(pin.leaseId());
    if (isNew && leases.size() >= settings.leasesMax()) {
      return new PinAnswer.PinRefused(
          pin.leaseId(), "cache.leases-max", leases.size() + 1, settings.leasesMax());
    }
    if (pin.blocks().size() > settings.leaseBlocksMax()) {
      return new PinAnswer.PinRefused(
          pin.leaseId(), "cache.lease-blocks-max", pin.blocks().size(), settings.leaseBlocksMax());
    }
    final int there = tiers.get(pin.tier()).match(pin.blocks()).getOrDefault(pin.worker(), 0);
    if (there == 0) {
      return new PinAnswer.PinRefused(pin.leaseId(), "blocks there", pin.blocks().size(), 0);
    }
    leases.pin(pin.leaseId(), pin.worker(), pin.tier(), pin.blocks().subList(0, there));
    final Duration life =
        pin.life().compareTo(settings.leaseLifeMax()) < 0 ? pin.life() : settings.leaseLifeMax();
    timers.startSingleTimer(pin.leaseId(), new LeaseExpired(pin.leaseId()), life);
    return new PinAnswer.Pinned(pin.leaseId(), there);
  }

  private void endLease(String leaseId) {
    timers.cancel(leaseId);
    leases.unpin(leaseId);
  }

  private Behavior<Command> onTerminated(Terminated signal) {
    final List<WorkerId> gone =
        workers.entrySet().stream()
            .filter(entry -> entry.getValue().equals(signal.getRef()))
            .map(Map.Entry::getKey)
            .toList();
    for (WorkerId id : gone) {
      workers.remove(id);
      timers.cancel(id);
      tiers.values().forEach(tier -> tier.forget(id));
      leases.leasesOn(id).forEach(this::endLease);
    }
    return this;
  }
}
