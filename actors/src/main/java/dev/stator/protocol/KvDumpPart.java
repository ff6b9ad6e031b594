package dev.stator.protocol;

import dev.stator.kv.BlockHash;
import java.util.List;

/**
 * A part of all blocks that can be found at a worker, as of one moment. Parts come in order.
 *
 * @param nextSequence number of the first event that the dump does not contain
 * @param partIndex from 0
 * @param last whether this is the last part
 */
public record KvDumpPart(
    WorkerId id,
    long nextSequence,
    KvTier tier,
    int partIndex,
    boolean last,
    List<BlockHash> blocks)
    implements RouterCommand, CacheCommand {
  public KvDumpPart {
    blocks = List.copyOf(blocks);
  }
}
