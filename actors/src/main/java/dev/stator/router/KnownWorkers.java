package dev.stator.router;

import dev.stator.protocol.Place;
import dev.stator.protocol.WorkerId;
import dev.stator.protocol.WorkerRole;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.pekko.actor.Address;

/** The workers of a model, and the nodes that cannot be reached. One thread. */
final class KnownWorkers {
  private final Map<WorkerId, KnownWorker> workers = new LinkedHashMap<>();
  private final Set<Address> unreachable = new HashSet<>(); // Nodes; bounded by the cluster's.

  /** {@code null} when it is not known. */
  KnownWorker get(WorkerId id) {
    return workers.get(id);
  }

  void add(KnownWorker worker) {
    workers.put(worker.id(), worker);
  }

  void remove(WorkerId id) {
    workers.remove(id);
  }

  List<KnownWorker> all() {
    return List.copyOf(workers.values());
  }

  Set<WorkerId> ids() {
    return workers.keySet();
  }

  int count() {
    return workers.size();
  }

  void nodeUnreachable(Address node) {
    unreachable.add(node);
  }

  void nodeReachable(Address node) {
    unreachable.remove(node);
  }

  List<KnownWorker> reachable() {
    final List<KnownWorker> found = new ArrayList<>();
    for (KnownWorker known : workers.values()) {
      if (unreachable.stream().noneMatch(known::isAt)) found.add(known);
    }
    return found;
  }

  List<KnownWorker> with(WorkerRole role) {
    return reachable().stream().filter(known -> known.has(role)).toList();
  }

  /**
   * Who may decode a sequence: where an answer has begun, those that go on with the same bytes, or
   * any if there are none and others may go on.
   */
  List<KnownWorker> decodersFor(Place place, boolean othersMayGoOn) {
    final List<KnownWorker> decoders = with(WorkerRole.DECODE);
    if (place.numerics().isEmpty()) return decoders;
    final List<KnownWorker> equal =
        decoders.stream()
            .filter(known -> known.description().fingerprint().equals(place.numerics()))
            .toList();
    return equal.isEmpty() && othersMayGoOn ? decoders : equal;
  }
}
