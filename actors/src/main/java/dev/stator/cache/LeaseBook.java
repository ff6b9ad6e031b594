package dev.stator.cache;

import dev.stator.kv.BlockHash;
import dev.stator.protocol.KvTier;
import dev.stator.protocol.WorkerId;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Who reads which blocks where. Knows no time: its owner ends what is overdue. One thread. */
final class LeaseBook {
  /** A block at a place. */
  record Place(BlockHash block, WorkerId worker, KvTier tier) {}

  private record Lease(WorkerId worker, List<Place> places) {}

  private final Map<String, Lease> leases = new HashMap<>();
  private final Map<Place, Integer> pins = new HashMap<>();

  boolean contains(String leaseId) {
    return leases.containsKey(leaseId);
  }

  int size() {
    return leases.size();
  }

  /** Pins blocks; a lease of this id is replaced. */
  void pin(String leaseId, WorkerId worker, KvTier tier, List<BlockHash> blocks) {
    unpin(leaseId);
    final List<Place> places =
        blocks.stream().map(block -> new Place(block, worker, tier)).toList();
    leases.put(leaseId, new Lease(worker, places));
    for (Place place : places) pins.merge(place, 1, Integer::sum);
  }

  /** Ends a lease; unknown ones are ignored. */
  void unpin(String leaseId) {
    final Lease lease = leases.remove(leaseId);
    if (lease == null) return;
    for (Place place : lease.places()) {
      pins.computeIfPresent(place, (key, count) -> count == 1 ? null : count - 1);
    }
  }

  boolean isPinned(Place place) {
    return pins.containsKey(place);
  }

  /** The leases on a worker's blocks. */
  List<String> leasesOn(WorkerId worker) {
    return leases.entrySet().stream()
        .filter(entry -> entry.getValue().worker().equals(worker))
        .map(Map.Entry::getKey)
        .toList();
  }
}
