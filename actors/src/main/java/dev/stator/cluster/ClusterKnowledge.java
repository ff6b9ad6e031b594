package dev.stator.cluster;

import dev.stator.cluster.ClusterView.ModelView;
import dev.stator.cluster.ClusterView.NodeState;
import dev.stator.cluster.ClusterView.NodeView;
import dev.stator.cluster.ClusterView.PlannerView;
import dev.stator.cluster.ClusterView.RouterView;
import dev.stator.cluster.NodeMessage.NodeReport;
import dev.stator.request.ServedModel;
import dev.stator.worker.SessionStats;
import dev.stator.worker.TransferFigures;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.apache.pekko.cluster.ClusterEvent.CurrentClusterState;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;

/**
 * What the nodes told last, and the picture that it makes. Bounded by the cluster's members.
 *
 * <p><b>Threads:</b> any.
 */
final class ClusterKnowledge {
  private record Heard(NodeReport report, long atNs) {}

  private final LongSupplier nanoClock;
  private final Map<String, Heard> reports = new ConcurrentHashMap<>();

  ClusterKnowledge(LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
  }

  /** A later life's word counts, whenever it comes. */
  void heard(NodeReport report) {
    reports.merge(
        report.node(),
        new Heard(report, nanoClock.getAsLong()),
        (old, fresh) -> fresh.report().startMillis() < old.report().startMillis() ? old : fresh);
  }

  /** Forgets all but these. */
  void retain(Set<String> nodeNames) {
    reports.keySet().retainAll(nodeNames);
  }

  Optional<NodeReport> of(String nodeName) {
    return Optional.ofNullable(reports.get(nodeName)).map(Heard::report);
  }

  ClusterView view(String self, CurrentClusterState state, Collection<ServedModel> models) {
    final Map<String, Member> members = new TreeMap<>();
    Members.all(state)
        .map(Members::nameOf)
        .distinct()
        .forEach(name ->
            Members.named(name, state)
                .or(() -> anyNamed(name, state))
                .ifPresent(member -> members.put(name, member)));
    final List<NodeView> nodes = new ArrayList<>();
    members.forEach((name, member) -> nodes.add(node(name, member, state)));
    final List<RouterView> routers = new ArrayList<>();
    PlannerView planner = new PlannerView(null, List.of());
    for (String name : members.keySet()) {
      final NodeReport report = of(name).orElse(null);
      if (report == null) continue;
      report
          .routers()
          .forEach(router -> routers.add(new RouterView(router.model(), name, router.stats())));
      if (report.hostsPlanner()) planner = new PlannerView(name, report.decisions());
    }
    return new ClusterView(self, nodes, models(models, nodes), routers, planner);
  }

  private static Optional<Member> anyNamed(String name, CurrentClusterState state) {
    return Members.all(state).filter(member -> Members.nameOf(member).equals(name)).findFirst();
  }

  private NodeView node(String name, Member member, CurrentClusterState state) {
    final Heard heard = reports.get(name);
    final String address = member.address().hostPort().replaceFirst("^.*@", "");
    if (heard == null) {
      return new NodeView(
          name,
          Members.rolesOf(member),
          address,
          0,
          stateOf(member, state, null),
          null,
          List.of(),
          SessionStats.NONE,
          TransferFigures.NONE,
          Map.of(),
          -1);
    }
    final NodeReport report = heard.report();
    return new NodeView(
        name,
        Members.rolesOf(member),
        address,
        report.httpPort(),
        stateOf(member, state, report),
        report.model(),
        report.slots(),
        report.sessions(),
        report.transfer(),
        report.transferRoutes(),
        Duration.ofNanos(nanoClock.getAsLong() - heard.atNs()).toMillis());
  }

  private static NodeState stateOf(Member member, CurrentClusterState state, NodeReport report) {
    if (state.getUnreachable().contains(member)) return NodeState.UNREACHABLE;
    if (!Members.isStaying(member)) return NodeState.LEAVING;
    if (report == null || member.status().equals(MemberStatus.joining())) return NodeState.JOINING;
    return switch (report.state()) {
      case STARTING -> NodeState.STARTING;
      case SERVING -> NodeState.SERVING;
      case DRAINING -> NodeState.DRAINING;
      case STOPPED -> NodeState.LEAVING;
    };
  }

  private static List<ModelView> models(Collection<ServedModel> models, List<NodeView> nodes) {
    final Map<String, ModelView> byName = new TreeMap<>();
    for (ServedModel model : models) {
      byName.put(model.name(), new ModelView(model.name(), model.contextLength(), List.of()));
    }
    for (NodeView node : nodes) {
      if (node.model() == null) continue;
      byName.merge(
          node.model(),
          new ModelView(node.model(), 0, List.of(node.name())),
          (known, more) -> {
            final List<String> hosts = new ArrayList<>(known.nodes());
            hosts.addAll(more.nodes());
            return new ModelView(known.name(), known.contextLength(), hosts);
          });
    }
    return byName.values().stream().sorted(Comparator.comparing(ModelView::name)).toList();
  }
}
