package dev.stator.cluster;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Makes an actor system's configuration for a cluster node from {@code stator.cluster}. */
public final class ClusterConfig {
  private static final String RESOURCE = "stator-cluster.conf";

  private ClusterConfig() {}

  /**
   * The whole configuration of a cluster node's actor system: the given one with what {@code
   * stator.cluster} says on top.
   *
   * @param root the whole configuration, resolved
   * @throws IllegalArgumentException when a key is out of range
   */
  public static Config of(Config root) {
    final ClusterSettings settings = ClusterSettings.from(root);
    final Map<String, Object> derived =
        Map.of(
            "pekko.cluster.roles",
            members(settings.self()),
            "pekko.remote.artery.transport",
            settings.tls().enabled() ? "tls-tcp" : "tcp");
    return ConfigFactory.parseMap(derived, "stator.cluster")
        .withFallback(ConfigFactory.parseResources(ClusterConfig.class.getClassLoader(), RESOURCE))
        .withFallback(root)
        .resolve();
  }

  private static List<String> members(NodeIdentity self) {
    final List<String> roles = new ArrayList<>();
    self.roles().forEach(role -> roles.add(role.text()));
    if (self.isWorker()) roles.add(Members.WORKER);
    roles.add(Members.nameRole(self.name()));
    return roles;
  }
}
