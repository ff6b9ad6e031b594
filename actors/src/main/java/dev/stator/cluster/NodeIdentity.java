package dev.stator.cluster;

import java.util.EnumSet;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Who a node is within its cluster.
 *
 * @param name unique in the cluster, stable over restarts; its slots are {@code name/0}, ...
 * @param roles at least one; a frontend is a router as well
 */
public record NodeIdentity(String name, Set<NodeRole> roles) {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");

  public NodeIdentity {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "stator.cluster.node-name must be 1 to 63 letters, digits, '.', '_' or '-': " + name);
    }
    if (roles.isEmpty()) throw new IllegalArgumentException("node " + name + " needs a role");
    final Set<NodeRole> all = EnumSet.copyOf(roles);
    if (all.contains(NodeRole.FRONTEND)) all.add(NodeRole.ROUTER);
    roles = Set.copyOf(all);
  }

  public boolean has(NodeRole role) {
    return roles.contains(role);
  }

  /** Whether engines run here. */
  public boolean isWorker() {
    return has(NodeRole.PREFILL) || has(NodeRole.DECODE);
  }
}
