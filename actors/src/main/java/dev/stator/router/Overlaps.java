package dev.stator.router;

import dev.stator.kv.BlockHash;
import dev.stator.kv.BlockHasher;
import dev.stator.protocol.KvTier;
import dev.stator.protocol.Place;
import dev.stator.protocol.Placement.BlockSource;
import dev.stator.protocol.WorkerDescription;
import dev.stator.protocol.WorkerId;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** How much of one sequence each worker has; hashed once for each kind of numerics. One thread. */
final class Overlaps {
  private record Numerics(String fingerprint, int blockSize) {
    static Numerics of(WorkerDescription worker) {
      return new Numerics(worker.fingerprint(), worker.blockSize());
    }
  }

  private final Place place;
  private final PrefixIndex index;
  private final Map<Numerics, List<BlockHash>> hashes = new HashMap<>();
  private final Map<Numerics, Map<WorkerId, Integer>> matches = new HashMap<>();

  Overlaps(Place place, PrefixIndex index) {
    this.place = place;
    this.index = index;
  }

  /** The names that the sequence's full blocks have at this worker. */
  List<BlockHash> hashes(WorkerDescription worker) {
    return hashes.computeIfAbsent(
        Numerics.of(worker),
        numerics ->
            new BlockHasher(numerics.fingerprint(), numerics.blockSize())
                .hashAll(place.cacheSalt(), place.tokens()));
  }

  /** Leading blocks at this worker. */
  int of(WorkerDescription worker) {
    return matches(worker).getOrDefault(worker.id(), 0);
  }

  /** Places that hold at least {@code minBlocks} more than the worker, longest first. */
  List<BlockSource> beyond(WorkerDescription worker, int minBlocks) {
    final int overlap = of(worker);
    return matches(worker).entrySet().stream()
        .filter(match -> match.getValue() - overlap >= minBlocks)
        .sorted(Map.Entry.<WorkerId, Integer>comparingByValue().reversed())
        .map(match -> new BlockSource(match.getKey(), KvTier.DEVICE, match.getValue()))
        .toList();
  }

  private Map<WorkerId, Integer> matches(WorkerDescription worker) {
    return matches.computeIfAbsent(Numerics.of(worker), numerics -> index.match(hashes(worker)));
  }
}
