package dev.stator.cluster;

import dev.stator.protocol.ClusterMessage;
import dev.stator.worker.RouterStats;
import dev.stator.worker.SessionStats;
import dev.stator.worker.TransferFigures;
import dev.stator.worker.WorkerStats;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;

/** From node to node. */
sealed interface NodeMessage extends ClusterMessage {
  /**
   * What a node says of itself every report interval.
   *
   * @param startMillis tells two lives of a name apart
   * @param httpPort 0 while unknown
   * @param model hosted here; {@code null} for none
   * @param routers those that run here
   * @param hostsPlanner whether the planner runs here
   * @param decisions the planner's last ones, newest first
   * @param self takes {@link NodeMessage}s
   */
  record NodeReport(
      String node,
      long startMillis,
      LocalNode.State state,
      int httpPort,
      String model,
      List<WorkerStats> slots,
      List<RouterReport> routers,
      SessionStats sessions,
      TransferFigures transfer,
      Map<String, String> transferRoutes,
      boolean hostsPlanner,
      List<ClusterView.PlannerNote> decisions,
      ActorRef<NodeMessage> self)
      implements NodeMessage {
    public NodeReport {
      slots = List.copyOf(slots);
      routers = List.copyOf(routers);
      transferRoutes = Map.copyOf(transferRoutes);
      decisions = List.copyOf(decisions);
    }
  }

  /** A model's router here. */
  record RouterReport(String model, RouterStats stats) {}

  /** Asks the receiving node to drain; asked again until it has left. */
  record DrainNode(String askedBy) implements NodeMessage {}
}
