package dev.stator.cluster;

import org.apache.pekko.actor.Address;
import org.apache.pekko.cluster.Reachability;
import org.apache.pekko.cluster.UniqueAddress;

/** What nodes, which are numbers here, say of each other. */
final class Words {
  private Words() {}

  /**
   * @param missing {@code observer-subject}, each
   */
  static Reachability words(String... missing) {
    Reachability words = Reachability.empty();
    for (String each : missing) {
      final String[] pair = each.split("-");
      words = words.unreachable(address(pair[0]), address(pair[1]));
    }
    return words;
  }

  private static UniqueAddress address(String node) {
    return address(Integer.parseInt(node));
  }

  static UniqueAddress address(int node) {
    return new UniqueAddress(new Address("pekko", "stator", "127.0.0.1", 7000 + node), (long) node);
  }
}
