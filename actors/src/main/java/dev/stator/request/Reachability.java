package dev.stator.request;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * Nodes that cannot be reached now, at most as many as the cluster has. The hub writes, its
 * sessions read. <b>Threads:</b> any.
 */
final class Reachability {
  private final Set<Address> unreachable = ConcurrentHashMap.newKeySet();

  void lost(Address node) {
    unreachable.add(node);
  }

  void found(Address node) {
    unreachable.remove(node);
  }

  boolean reaches(ActorRef<?> ref) {
    return unreachable.isEmpty() || !unreachable.contains(ref.path().address());
  }
}
