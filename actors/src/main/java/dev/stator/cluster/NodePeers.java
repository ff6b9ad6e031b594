package dev.stator.cluster;

import dev.stator.cluster.NodeMessage.DrainNode;
import dev.stator.cluster.NodeMessage.NodeReport;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.actor.typed.receptionist.Receptionist;
import org.apache.pekko.actor.typed.receptionist.ServiceKey;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.typed.Cluster;

/**
 * This node among the others: tells them what it does, hears what they do, and passes on who is to
 * drain. Found by its {@link ServiceKey}s.
 */
final class NodePeers extends AbstractBehavior<NodePeers.Command> {
  private static final ServiceKey<NodeMessage> ALL =
      ServiceKey.create(NodeMessage.class, "stator-nodes");
  private static final ServiceKey<NodeMessage> VIEWERS =
      ServiceKey.create(NodeMessage.class, "stator-viewers");

  /** To this actor. */
  sealed interface Command {}

  /** Makes a node drain; {@code left} completes when it is no member any more. */
  record Drain(String node, CompletableFuture<Done> left) implements Command {}

  private record FromNode(NodeMessage message) implements Command {}

  private record Listed(Receptionist.Listing listing) implements Command {}

  private record Report() implements Command {} // Our own timer's message.

  /**
   * @param report what this node says of itself, given the actor that others answer
   * @param onDrain drains this node; called on this actor's thread, more than once
   */
  record Parts(
      ClusterSettings settings,
      ClusterKnowledge knowledge,
      Function<ActorRef<NodeMessage>, NodeReport> report,
      Runnable onDrain) {}

  static Behavior<Command> create(Parts parts) {
    return Behaviors.setup(
        context -> Behaviors.withTimers(timers -> new NodePeers(context, timers, parts)));
  }

  private final Parts parts;
  private final Cluster cluster;
  private final ActorRef<NodeMessage> fromNodes;
  private final Map<String, List<CompletableFuture<Done>>> drains = new HashMap<>();
  private Set<ActorRef<NodeMessage>> all = Set.of();
  private Set<ActorRef<NodeMessage>> viewers = Set.of();

  private NodePeers(ActorContext<Command> context, TimerScheduler<Command> timers, Parts parts) {
    super(context);
    context.setLoggerName(NodePeers.class);
    this.parts = parts;
    this.cluster = Cluster.get(context.getSystem());
    this.fromNodes = context.messageAdapter(NodeMessage.class, FromNode::new);
    final ActorRef<Receptionist.Command> receptionist = context.getSystem().receptionist();
    final ActorRef<Command> self = context.getSelf();
    final ActorRef<Receptionist.Listing> listed = // Who is registered cannot subscribe as well.
        context.spawn(
            Behaviors.receiveMessage(listing -> {
              self.tell(new Listed(listing));
              return Behaviors.same();
            }),
            "listings");
    receptionist.tell(Receptionist.register(ALL, fromNodes));
    if (parts.settings().self().has(NodeRole.ROUTER)) {
      receptionist.tell(Receptionist.register(VIEWERS, fromNodes));
    }
    receptionist.tell(Receptionist.subscribe(ALL, listed));
    receptionist.tell(Receptionist.subscribe(VIEWERS, listed));
    timers.startTimerWithFixedDelay(new Report(), parts.settings().reportInterval());
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onAnyMessage(this::onMessage)
        .onSignal(PostStop.class, signal -> onStop())
        .build();
  }

  private Behavior<Command> onMessage(Command command) {
    switch (command) {
      case FromNode(NodeReport report) -> parts.knowledge().heard(report);
      case FromNode(DrainNode(var askedBy)) -> {
        getContext().getLog().info("Asked to drain by [{}]", askedBy);
        parts.onDrain().run();
      }
      case Listed(var listing) -> listed(listing);
      case Report() -> report();
      case Drain(var node, var left) -> drain(node, left);
    }
    return this;
  }

  private void listed(Receptionist.Listing listing) {
    if (listing.isForKey(ALL)) all = listing.getServiceInstances(ALL);
    else viewers = listing.getServiceInstances(VIEWERS);
    report(); // The newcomers know nothing yet.
  }

  private void report() {
    final NodeReport report = parts.report().apply(fromNodes);
    parts.knowledge().heard(report);
    final Set<String> names =
        Members.all(cluster.state()).map(Members::nameOf).collect(Collectors.toSet());
    names.add(report.node());
    parts.knowledge().retain(names);
    final var listeners = all.size() <= parts.settings().reportNodesMax() ? all : viewers;
    for (ActorRef<NodeMessage> listener : listeners) {
      if (!listener.equals(fromNodes)) listener.tell(report);
    }
    drains.keySet().forEach(this::tellToDrain);
    drains
        .entrySet()
        .removeIf(drain -> {
          if (names.contains(drain.getKey())) return false;
          drain.getValue().forEach(left -> left.complete(Done.getInstance()));
          return true;
        });
  }

  private void drain(String node, CompletableFuture<Done> left) {
    final List<String> names = Members.all(cluster.state()).map(Members::nameOf).sorted().toList();
    if (!names.contains(node)) {
      left.completeExceptionally(
          new IllegalArgumentException(
              "no node is named %s; there are %s".formatted(node, String.join(", ", names))));
      return;
    }
    drains.computeIfAbsent(node, name -> new ArrayList<>()).add(left);
    tellToDrain(node);
  }

  /** Again and again until it has left: a word may get lost. */
  private void tellToDrain(String node) {
    final String self = parts.settings().self().name();
    parts
        .knowledge()
        .of(node)
        .map(NodeReport::self)
        .ifPresent(ref -> ref.tell(new DrainNode(self)));
  }

  private Behavior<Command> onStop() {
    final var ended = new IllegalStateException("this node has stopped");
    drains.values().forEach(waiting -> waiting.forEach(left -> left.completeExceptionally(ended)));
    return this;
  }

  /** For logs. */
  static String describe(Member member) {
    return Members.nameOf(member) + " at " + member.address().hostPort();
  }
}
