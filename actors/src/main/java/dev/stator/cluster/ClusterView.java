package dev.stator.cluster;

import dev.stator.worker.RouterStats;
import dev.stator.worker.SessionStats;
import dev.stator.worker.TransferFigures;
import dev.stator.worker.WorkerStats;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The cluster as one node knows it from what the others told last.
 *
 * @param self the name of the node that looks
 * @param nodes by name
 * @param models by name
 * @param routers one a model, where it is known
 */
public record ClusterView(
    String self,
    List<NodeView> nodes,
    List<ModelView> models,
    List<RouterView> routers,
    PlannerView planner) {
  public ClusterView {
    nodes = List.copyOf(nodes);
    models = List.copyOf(models);
    routers = List.copyOf(routers);
  }

  /** Where a node stands. */
  public enum NodeState {
    /** A member that has not yet told anything of itself. */
    JOINING,
    /** Engines are being made. */
    STARTING,
    SERVING,
    DRAINING,
    /** On its way out. */
    LEAVING,
    /** Does not answer; counts as gone soon. */
    UNREACHABLE
  }

  /**
   * A node, and what it said last.
   *
   * @param address {@code host:port} that cluster members talk to
   * @param httpPort 0 while unknown
   * @param model hosted here; {@code null} for none
   * @param slots with load, blocks and prefix hits; empty for nodes without engines
   * @param transferRoutes how blocks go to other nodes: transfer backend by agent
   * @param ageMillis since its last word; -1 while there is none
   */
  public record NodeView(
      String name,
      Set<NodeRole> roles,
      String address,
      int httpPort,
      NodeState state,
      String model,
      List<WorkerStats> slots,
      SessionStats sessions,
      TransferFigures transfer,
      Map<String, String> transferRoutes,
      long ageMillis) {
    public NodeView {
      roles = Set.copyOf(roles);
      slots = List.copyOf(slots);
      transferRoutes = Map.copyOf(transferRoutes);
    }
  }

  /**
   * @param nodes those that host it, by name
   */
  public record ModelView(String name, int contextLength, List<String> nodes) {
    public ModelView {
      nodes = List.copyOf(nodes);
    }
  }

  /**
   * @param node where the model's router runs
   */
  public record RouterView(String model, String node, RouterStats stats) {}

  /**
   * @param node where the planner runs; {@code null} while unknown
   * @param decisions the last moves, and the last decision of each model; newest first
   */
  public record PlannerView(String node, List<PlannerNote> decisions) {
    public PlannerView {
      decisions = List.copyOf(decisions);
    }
  }

  /** What the planner decided for a model, in words with its reasons. */
  public record PlannerNote(String model, Instant at, boolean isMove, String decision) {}
}
