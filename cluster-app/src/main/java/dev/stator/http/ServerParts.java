package dev.stator.http;

import dev.stator.metrics.Metrics;
import dev.stator.request.Generations;
import java.util.Objects;

/**
 * What a server stands in front of.
 *
 * @param audience who is served; without clients, the catalog and the generations are not used
 * @param cluster {@code null} leaves out what concerns the cluster
 */
public record ServerParts(
    Audience audience,
    ModelCatalog catalog,
    Generations generations,
    Metrics metrics,
    ReadinessState readiness,
    ClusterAccess cluster) {
  /** Which endpoints there are. */
  public enum Audience {
    /** All of them. */
    CLIENTS,
    /** Only those that show and steer the node. */
    OPERATORS
  }

  public ServerParts {
    Objects.requireNonNull(metrics);
    Objects.requireNonNull(readiness);
  }
}
