package dev.stator.cluster;

import dev.stator.cluster.ClusterView.PlannerNote;
import dev.stator.planner.PlannerDecision;
import dev.stator.worker.RouterStats;
import dev.stator.worker.SessionStats;
import dev.stator.worker.StatsBoard;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * This node's figures by model, and the planner's last moves and its last hold while it runs here.
 * Keeps the node's board, which knows no models, at their sums.
 *
 * <p><b>Threads:</b> any.
 */
final class NodeFigures {
  private static final int DECISIONS_MAX = 16;

  private final StatsBoard board;

  // Guarded by this.
  private final Map<String, RouterStats> routers = new TreeMap<>();
  private final Map<String, SessionStats> sessions = new TreeMap<>();
  private final Deque<PlannerNote> decisions = new ArrayDeque<>(); // Newest first.
  private boolean hostsPlanner;
  private int httpPort;

  NodeFigures(StatsBoard board) {
    this.board = board;
  }

  synchronized void router(String model, RouterStats stats) {
    routers.put(model, stats);
    publishRouters();
  }

  synchronized void routerLeft(String model) {
    routers.remove(model);
    publishRouters();
  }

  private void publishRouters() {
    board.publish(routers.values().stream().reduce(RouterStats::plus).orElse(RouterStats.NONE));
  }

  synchronized void sessions(String model, SessionStats stats) {
    sessions.put(model, stats);
    board.publish(sessions.values().stream().reduce(SessionStats.NONE, SessionStats::plus));
  }

  synchronized void decided(String model, PlannerDecision decision, Instant at) {
    hostsPlanner = true;
    if (decision instanceof PlannerDecision.Hold) {
      decisions.removeIf(note -> note.model().equals(model) && note.decision().startsWith("hold:"));
    }
    decisions.addFirst(
        new PlannerNote(model, at, decision instanceof PlannerDecision.Move, decision.toString()));
    while (decisions.size() > DECISIONS_MAX) decisions.removeLast();
  }

  synchronized void plannerLeft() {
    hostsPlanner = false;
    decisions.clear();
  }

  synchronized void httpPort(int port) {
    httpPort = port;
  }

  synchronized int httpPort() {
    return httpPort;
  }

  synchronized boolean hostsPlanner() {
    return hostsPlanner;
  }

  synchronized List<PlannerNote> decisions() {
    return List.copyOf(decisions);
  }

  synchronized List<NodeMessage.RouterReport> routers() {
    final List<NodeMessage.RouterReport> reports = new ArrayList<>();
    routers.forEach((model, stats) -> reports.add(new NodeMessage.RouterReport(model, stats)));
    return reports;
  }
}
