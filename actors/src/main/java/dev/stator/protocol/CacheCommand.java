package dev.stator.protocol;

import dev.stator.kv.BlockHash;
import java.time.Duration;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;

/** To the directory of cached blocks. */
public sealed interface CacheCommand extends ClusterMessage
    permits KvBatch, KvDumpPart, CacheCommand.Locate, CacheCommand.Pin, CacheCommand.Unpin {
  /**
   * Asks who holds the leading blocks of a sequence; answered by {@link Located}.
   *
   * @param blocks in sequence order
   */
  record Locate(List<BlockHash> blocks, ActorRef<Located> replyTo) implements CacheCommand {
    public Locate {
      blocks = List.copyOf(blocks);
    }
  }

  /**
   * The holders, longest first.
   *
   * @param sources leading blocks at each place
   */
  record Located(List<Placement.BlockSource> sources) implements ClusterMessage {
    public Located {
      sources = List.copyOf(sources);
    }
  }

  /**
   * Asks that the blocks at {@code worker} be kept while somebody reads them; answered by a {@link
   * PinAnswer}. The same lease again prolongs it.
   */
  record Pin(
      String leaseId,
      WorkerId worker,
      KvTier tier,
      List<BlockHash> blocks,
      Duration life,
      ActorRef<PinAnswer> replyTo)
      implements CacheCommand {
    public Pin {
      blocks = List.copyOf(blocks);
    }
  }

  /** Ends a lease; an unknown or expired one is ignored. */
  record Unpin(String leaseId) implements CacheCommand {}

  /** What a {@link Pin} is answered. */
  sealed interface PinAnswer extends ClusterMessage {
    /**
     * @param blockCount leading blocks that are pinned
     */
    record Pinned(String leaseId, int blockCount) implements PinAnswer {}

    /** A limit stands in the way, or none of the blocks is there. */
    record PinRefused(String leaseId, String limit, long value, long max) implements PinAnswer {}
  }
}
