package dev.stator.router;

import dev.stator.kv.BlockHash;
import dev.stator.protocol.KvBatch;
import dev.stator.protocol.KvDumpPart;
import dev.stator.protocol.KvTier;
import dev.stator.protocol.WorkerId;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Which worker finds which block where, of those tiers that its engine computes from by itself: the
 * device, and the host's memory, which is followed from a worker's first word of it on. One thread.
 */
final class TierIndex {
  private final Map<KvTier, PrefixIndex> tiers = new EnumMap<>(KvTier.class);

  TierIndex() {
    tiers.put(KvTier.DEVICE, new PrefixIndex());
    tiers.put(KvTier.HOST, new PrefixIndex());
  }

  /** From now on this worker's events count, once a dump has arrived. */
  void follow(WorkerId worker) {
    tiers.get(KvTier.DEVICE).follow(worker);
  }

  /** Nothing of this worker counts any more. */
  void forget(WorkerId worker) {
    tiers.values().forEach(tier -> tier.forget(worker));
  }

  PrefixIndex.Outcome apply(KvBatch batch) {
    final PrefixIndex tier = tierOf(batch.id(), batch.tier());
    if (tier == null) return PrefixIndex.Outcome.IGNORED;
    if (!tier.follows(batch.id())) {
      tier.follow(batch.id());
      if (batch.firstSequence() > 0) return PrefixIndex.Outcome.GAP;
      tier.applyDump(batch.id(), 0, 0, true, List.of()); // Nothing was there before.
    }
    return tier.apply(batch.id(), batch.firstSequence(), batch.events());
  }

  void applyDump(KvDumpPart part) {
    final PrefixIndex tier = tierOf(part.id(), part.tier());
    if (tier == null) return;
    tier.follow(part.id());
    tier.applyDump(part.id(), part.nextSequence(), part.partIndex(), part.last(), part.blocks());
  }

  /** {@code null} for a tier that does not count, or a worker that is not followed. */
  private PrefixIndex tierOf(WorkerId worker, KvTier tier) {
    return tiers.get(KvTier.DEVICE).follows(worker) ? tiers.get(tier) : null;
  }

  boolean waitsForDump(WorkerId worker) {
    return tiers.values().stream().anyMatch(tier -> tier.waitsForDump(worker));
  }

  /** As {@link PrefixIndex#match}. */
  Map<WorkerId, Integer> match(KvTier tier, List<BlockHash> blocks) {
    return tiers.get(tier).match(blocks);
  }

  /** (block, worker) pairs of all tiers. */
  long pairs() {
    return tiers.values().stream().mapToLong(PrefixIndex::pairs).sum();
  }
}
