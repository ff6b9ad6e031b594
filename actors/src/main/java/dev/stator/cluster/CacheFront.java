package dev.stator.cluster;

import dev.stator.protocol.CacheCommand;
import dev.stator.protocol.CacheCommand.Locate;
import dev.stator.protocol.CacheCommand.Located;
import dev.stator.protocol.CacheCommand.Pin;
import dev.stator.protocol.CacheCommand.Unpin;
import dev.stator.protocol.KvBatch;
import dev.stator.protocol.KvDumpPart;
import dev.stator.protocol.Placement.BlockSource;
import dev.stator.protocol.WorkerId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.cluster.sharding.typed.ShardingEnvelope;

/**
 * A model's cache directory as its parts' clients see it: what concerns a worker goes to the
 * worker's part, a question to all parts, and their answers come back as one.
 */
final class CacheFront extends AbstractBehavior<CacheCommand> {
  /**
   * Where the parts are.
   *
   * @param partCount equal on all nodes
   * @param gatherTimeout parts that are silent for so long are left out of an answer
   */
  record Directory(
      ActorRef<ShardingEnvelope<CacheCommand>> region,
      String model,
      int partCount,
      Duration gatherTimeout) {
    void tell(int part, CacheCommand command) {
      region.tell(new ShardingEnvelope<>(model + "/" + part, command));
    }

    int partOf(WorkerId worker) {
      return Math.floorMod(worker.slot().hashCode(), partCount); // Equal in all JVMs.
    }
  }

  static Behavior<CacheCommand> create(Directory directory) {
    return Behaviors.setup(context -> new CacheFront(context, directory));
  }

  private final Directory directory;

  private CacheFront(ActorContext<CacheCommand> context, Directory directory) {
    super(context);
    this.directory = directory;
  }

  @Override
  public Receive<CacheCommand> createReceive() {
    return newReceiveBuilder().onAnyMessage(this::onMessage).build();
  }

  private Behavior<CacheCommand> onMessage(CacheCommand command) {
    switch (command) {
      case KvBatch batch -> directory.tell(directory.partOf(batch.id()), batch);
      case KvDumpPart part -> directory.tell(directory.partOf(part.id()), part);
      case Pin pin -> directory.tell(directory.partOf(pin.worker()), pin);
      case Unpin unpin -> {
        for (int part = 0; part < directory.partCount(); part++) directory.tell(part, unpin);
      }
      case Locate locate -> getContext().spawnAnonymous(Gathering.create(directory, locate));
    }
    return this;
  }

  /** One question's answers. Ends with the last of them, or when time is up. */
  private static final class Gathering extends AbstractBehavior<Located> {
    private static final Located TIME_IS_UP = new Located(List.of());

    static Behavior<Located> create(Directory directory, Locate locate) {
      return Behaviors.setup(context -> new Gathering(context, directory, locate));
    }

    private final Locate locate;
    private final List<BlockSource> sources = new ArrayList<>();
    private int missing;

    private Gathering(ActorContext<Located> context, Directory directory, Locate locate) {
      super(context);
      this.locate = locate;
      this.missing = directory.partCount();
      for (int part = 0; part < directory.partCount(); part++) {
        directory.tell(part, new Locate(locate.blocks(), context.getSelf()));
      }
      context.scheduleOnce(directory.gatherTimeout(), context.getSelf(), TIME_IS_UP);
    }

    @Override
    public Receive<Located> createReceive() {
      return newReceiveBuilder().onAnyMessage(this::onMessage).build();
    }

    private Behavior<Located> onMessage(Located answer) {
      missing = answer == TIME_IS_UP ? 0 : missing - 1;
      sources.addAll(answer.sources());
      if (missing > 0) return this;
      sources.sort(
          Comparator.comparingInt(BlockSource::blockCount)
              .reversed()
              .thenComparing(BlockSource::tier));
      locate.replyTo().tell(new Located(sources));
      return Behaviors.stopped();
    }
  }
}
