package dev.stator.cluster;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;

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
    return ConfigFactory.parseResources(ClusterConfig.class.getClassLoader(), RESOURCE)
        .withFallback(root)
        .resolve();
  }
}
