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
  private final TierIndex index;
  private final double hostWeight;
  private final Map<Numerics, List<BlockHash>> hashes = new HashMap<>();
  private final Map<Numerics, Map<WorkerId, Integer>> onDevices = new HashMap<>();
  private final Map<Numerics, Map<WorkerId, Integer>> onHosts = new HashMap<>();

  /**
   * @param hostWeight what a block on a worker's host counts, where one on its device counts 1
   */
  Overlaps(Place place, TierIndex index, double hostWeight) {
    this.place = place;
    this.index = index;
    this.hostWeight = hostWeight;
  }

  /** The names that the sequence's full blocks have at this worker. */
  List<BlockHash> hashes(WorkerDescription worker) {
    return hashes.computeIfAbsent(
        Numerics.of(worker),
        numerics ->
            new BlockHasher(numerics.fingerprint(), numerics.blockSize())
                .hashAll(place.cacheSalt(), place.tokens()));
  }

  /** Leading blocks at this worker, those on its host by their weight. */
  int of(WorkerDescription worker) {
    final int device = onDevice(worker);
    final int beyond = onHosts(worker).getOrDefault(worker.id(), 0) - device;
    return device + (int) (hostWeight * Math.max(0, beyond));
  }

  /** Leading blocks on this worker's device. */
  int onDevice(WorkerDescription worker) {
    return onDevices(worker).getOrDefault(worker.id(), 0);
  }

  /** Devices that hold at least {@code minBlocks} more than the worker has, longest first. */
  List<BlockSource> beyond(WorkerDescription worker, int minBlocks) {
    final int overlap = of(worker);
    return onDevices(worker).entrySet().stream()
        .filter(match -> match.getValue() - overlap >= minBlocks)
        .sorted(Map.Entry.<WorkerId, Integer>comparingByValue().reversed())
        .map(match -> new BlockSource(match.getKey(), KvTier.DEVICE, match.getValue()))
        .toList();
  }

  private Map<WorkerId, Integer> onDevices(WorkerDescription worker) {
    return onDevices.computeIfAbsent(
        Numerics.of(worker), numerics -> index.match(KvTier.DEVICE, hashes(worker)));
  }

  private Map<WorkerId, Integer> onHosts(WorkerDescription worker) {
    return onHosts.computeIfAbsent(
        Numerics.of(worker), numerics -> index.match(KvTier.HOST, hashes(worker)));
  }
}
