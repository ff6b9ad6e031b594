package dev.stator.cluster;

import dev.stator.planner.PlannerSettings;
import dev.stator.protocol.CacheCommand;
import dev.stator.protocol.PlannerCommand;
import dev.stator.protocol.RouterCommand;
import dev.stator.protocol.WorkerCommand;
import dev.stator.protocol.WorkerId;
import dev.stator.request.ServedModel;
import dev.stator.request.SessionHub;
import dev.stator.router.Router;
import dev.stator.transport.TransferAgent;
import dev.stator.worker.StatsBoard;
import dev.stator.worker.Worker;
import dev.stator.worker.WorkerLifecycle;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.pekko.Done;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.AddressFromURIString;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.sharding.typed.ShardingEnvelope;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.ClusterSingleton;
import org.apache.pekko.cluster.typed.ClusterSingletonSettings;
import org.apache.pekko.cluster.typed.Join;
import org.apache.pekko.cluster.typed.JoinSeedNodes;
import org.apache.pekko.cluster.typed.SelfUp;
import org.apache.pekko.cluster.typed.SingletonActor;
import org.apache.pekko.cluster.typed.Subscribe;

/**
 * Starts a cluster node's actors, joins, keeps the slots filled, and leaves in good order.
 *
 * <pre>
 *   STARTING ── joined, name free, slots up, models known ──▶ SERVING
 *      └── no seed answers │ name taken │ an engine cannot be made ──▶ (ends, unexpected)
 *   any ── Drain ──▶ sessions end ──▶ slots get empty ──▶ leave ──▶ (ends)        Stop ──▶ leave
 * </pre>
 */
final class ClusterGuardian extends AbstractBehavior<ClusterGuardian.Command> {
  /** To the guardian. */
  sealed interface Command permits OwnCommand, NodeDrain.Step {}

  /** What is not the drain's. */
  sealed interface OwnCommand extends Command {}

  record Drain() implements OwnCommand {}

  record Stop() implements OwnCommand {}

  record DrainNode(String node, CompletableFuture<Done> left) implements OwnCommand {}

  private record NodeLost(Address node) implements OwnCommand {}

  private record NodeFound(Address node) implements OwnCommand {}

  private record Up() implements OwnCommand {}

  private record JoinOverdue() implements OwnCommand {} // Our own timers', as the next four.

  private record NameOverdue() implements OwnCommand {}

  private record CheckName() implements OwnCommand {}

  private record PollTransfers() implements OwnCommand {}

  private record StartSlot(EngineSlot slot) implements OwnCommand {}

  private record FromCatalog(ModelCatalog.Event event) implements OwnCommand {}

  private record FromWorker(WorkerLifecycle event) implements OwnCommand {}

  private record WorkerEnded(EngineSlot slot, long startNs) implements OwnCommand {}

  /**
   * What a node is made of, besides its actors.
   *
   * @param seeds of the routers' random choices; any thread
   */
  record Parts(
      ClusterSettings cluster,
      NodeSettings settings,
      Optional<HostedModel> hosted,
      Function<byte[], ServedModel> cardReader,
      TransferAgent agent,
      StatsBoard board,
      NodeFigures figures,
      ClusterKnowledge knowledge,
      ClusterGenerations generations,
      Supplier<Map<String, String>> transferRoutes,
      LongSupplier nanoClock,
      Supplier<Instant> wallClock,
      LongSupplier seeds) {}

  static Behavior<Command> create(Parts parts, ClusterStatus status) {
    return Behaviors.setup(context ->
        Behaviors.withTimers(timers -> new ClusterGuardian(context, timers, parts, status)));
  }

  private final TimerScheduler<Command> timers;
  private final Parts parts;
  private final ClusterStatus status;
  private final Cluster cluster;
  private final ActorRef<NodePeers.Command> nodePeers;
  private final ActorRef<ShardingEnvelope<RouterCommand>> routers;
  private final ActorRef<PlannerHost.ForModel> planner;
  private final Map<String, ActorRef<SessionHub.Command>> hubs = new HashMap<>();
  private final AtomicLong hubLives = new AtomicLong();
  private final long nodeLife;
  private final SlotKeeper<Command> slots;
  private final NodeDrain drain;
  private final Set<Address> lostNodes = new HashSet<>();
  private final ActorRef<Command> self;
  private final long startMillis;
  private boolean joined;
  private boolean slotsAreUp;
  private boolean modelsAreKnown;

  private ClusterGuardian(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      Parts parts,
      ClusterStatus status) {
    super(context);
    context.setLoggerName(ClusterGuardian.class);
    this.timers = timers;
    this.parts = parts;
    this.status = status;
    this.cluster = Cluster.get(context.getSystem());
    this.self = context.getSelf();
    this.startMillis = context.getSystem().startTime();
    this.nodeLife = cluster.selfMember().uniqueAddress().longUid();
    final EntityKinds kinds = new EntityKinds(context.getSystem());
    final var cacheBlocks = kinds.startCacheBlocks(parts.settings().cache());
    this.routers = kinds.startRouters(model -> router(parts, cacheBlocks, model));
    this.planner = startPlanner();
    this.nodePeers =
        context.spawn(
            NodePeers.create(
                new NodePeers.Parts(
                    parts.cluster(), parts.knowledge(), this::report, this::drainSelf)),
            "peers");
    final int slotCount = parts.hosted().map(hosted -> hosted.slots().size()).orElse(0);
    this.slotsAreUp = slotCount == 0;
    this.modelsAreKnown = !parts.cluster().self().has(NodeRole.FRONTEND);
    final Worker.Tools tools =
        new Worker.Tools(
            parts.agent(),
            parts.board(),
            parts.nanoClock(),
            parts.settings().worker(),
            slotCount == 0 ? null : new ShardedRoles(kinds, this::isUp));
    final Worker.Peers peers =
        parts.hosted().map(hosted -> peers(hosted.served().name(), cacheBlocks)).orElse(null);
    this.slots =
        new SlotKeeper<>(
            context,
            timers,
            new SlotKeeper.Tools<>(
                parts.settings(),
                parts.nanoClock(),
                (slot, start) -> worker(slot, start, peers, tools),
                WorkerEnded::new,
                StartSlot::new),
            slotCount);
    this.drain =
        new NodeDrain(
            context, timers, parts.cluster(), () -> status.end(true, "the node was drained"));
    startModels();
    join();
    timers.startTimerWithFixedDelay(
        new PollTransfers(), parts.settings().transport().pollInterval());
  }

  private void startModels() {
    parts
        .hosted()
        .ifPresent(hosted -> {
          hosted.slots().forEach(slots::start);
          getContext()
              .spawn(
                  CardHost.create(
                      parts.cluster().self().name(), hosted, parts.cluster().cardPartBytes()),
                  "card");
        });
    if (!parts.cluster().self().has(NodeRole.FRONTEND)) return;
    final var fromCatalog = getContext().messageAdapter(ModelCatalog.Event.class, FromCatalog::new);
    getContext()
        .spawn(
            restarting(
                ModelCatalog.create(
                    new ModelCatalog.Parts(
                        parts.cluster(),
                        parts.hosted(),
                        parts.cardReader(),
                        parts.nanoClock(),
                        fromCatalog))),
            "models");
  }

  private ActorRef<PlannerHost.ForModel> startPlanner() {
    final NodeFigures figures = parts.figures();
    final Supplier<Instant> wallClock = parts.wallClock();
    final PlannerSettings settings = parts.settings().planner();
    final var host =
        new PlannerHost.Parts(
            settings,
            parts.cluster().modelsMax(),
            (model, decision) -> figures.decided(model, decision, wallClock.get()),
            figures::plannerLeft);
    return ClusterSingleton.get(getContext().getSystem())
        .init(
            SingletonActor.of(restarting(PlannerHost.create(host)), "planner")
                .withSettings(
                    ClusterSingletonSettings.create(getContext().getSystem())
                        .withRole(NodeRole.ROUTER.text())));
  }

  /** A model's router, which runs on any one of the router nodes. */
  private static Behavior<RouterCommand> router(
      Parts parts, ActorRef<ShardingEnvelope<CacheCommand>> cacheBlocks, String model) {
    return ModelFigures.forgettingRouter(
        parts.figures(),
        model,
        Behaviors.setup(context -> {
          final ActorRef<RouterCommand> self = context.getSelf();
          context.spawn(
              Reachability.create(
                  node -> self.tell(new RouterCommand.NodeUnreachable(node)),
                  node -> self.tell(new RouterCommand.NodeReachable(node))),
              "nodes");
          return Router.create(
              parts.settings().router(),
              context.spawn(CacheFront.create(directory(parts, cacheBlocks, model)), "cache"),
              new SplittableRandom(parts.seeds().getAsLong()),
              parts.nanoClock(),
              stats -> parts.figures().router(model, stats));
        }));
  }

  private static CacheFront.Directory directory(
      Parts parts, ActorRef<ShardingEnvelope<CacheCommand>> cacheBlocks, String model) {
    return new CacheFront.Directory(
        cacheBlocks,
        model,
        parts.cluster().directoryShards(),
        parts.settings().router().locateTimeout());
  }

  private Worker.Peers peers(String model, ActorRef<ShardingEnvelope<CacheCommand>> cacheBlocks) {
    return new Worker.Peers(
        getContext().spawn(EntityKinds.proxy(routers, model), "router"),
        getContext().spawn(CacheFront.create(directory(parts, cacheBlocks, model)), "cache"),
        getContext().spawn(PlannerHost.proxy(planner, model), "planner"),
        getContext().messageAdapter(WorkerLifecycle.class, FromWorker::new));
  }

  private Behavior<WorkerCommand> worker(
      EngineSlot slot, long start, Worker.Peers peers, Worker.Tools tools) {
    final int index = parts.hosted().orElseThrow().slots().indexOf(slot);
    final String name = EntityKinds.slotName(parts.cluster().self().name(), index);
    final long life = startMillis * 1000 + start; // Differs between lives.
    return Worker.create(new WorkerId(name, life), slot.roles(), slot.engine(), peers, tools);
  }

  private static <T> Behavior<T> restarting(Behavior<T> behavior) {
    return Behaviors.supervise(behavior).onFailure(SupervisorStrategy.restart());
  }

  /** Any thread. */
  private boolean isUp() {
    return cluster.selfMember().status().equals(MemberStatus.up());
  }

  private void join() {
    final var up = getContext().messageAdapter(SelfUp.class, event -> new Up());
    cluster.subscriptions().tell(Subscribe.create(up, SelfUp.class));
    getContext()
        .spawn(
            Reachability.create(
                node -> self.tell(new NodeLost(node)), node -> self.tell(new NodeFound(node))),
            "reachability");
    getContext().spawn(FormerLife.create(parts.cluster().self().name()), "former-life");
    final Address address = cluster.selfMember().address();
    final List<Address> seeds = new ArrayList<>();
    for (String seed : parts.cluster().seedNodes()) {
      seeds.add(
          AddressFromURIString.parse(address.protocol() + "://" + address.system() + "@" + seed));
    }
    final boolean isAlone = seeds.isEmpty() || seeds.equals(List.of(address));
    cluster.manager().tell(isAlone ? new Join(address) : new JoinSeedNodes(seeds));
    timers.startSingleTimer(new JoinOverdue(), parts.cluster().joinTimeout());
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
      case Drain() -> drain();
      case Stop() -> {
        slots.close();
        hubs.values().forEach(hub -> hub.tell(new SessionHub.Abort("the server is stopping")));
        status.end(true, "the node was stopped");
      }
      case DrainNode(var node, var left) -> nodePeers.tell(new NodePeers.Drain(node, left));
      case NodeLost(var node) -> {
        getContext().getLog().warn("Node at [{}] does not answer", node);
        lostNodes.add(node);
        hubs.values().forEach(hub -> hub.tell(new SessionHub.NodeUnreachable(node)));
      }
      case NodeFound(var node) -> {
        lostNodes.remove(node);
        hubs.values().forEach(hub -> hub.tell(new SessionHub.NodeReachable(node)));
      }
      case Up() -> {
        timers.cancel(new JoinOverdue());
        timers.startSingleTimer(new NameOverdue(), parts.cluster().nameTimeout());
        checkName();
      }
      case CheckName() -> checkName();
      case JoinOverdue() ->
          status.end(
              false,
              "none of the seed nodes "
                  + parts.cluster().seedNodes()
                  + " has taken this node in within stator.cluster.join-timeout");
      case NameOverdue() -> nameOverdue();
      case FromCatalog(ModelCatalog.ModelKnown(var model)) -> serve(model);
      case FromCatalog(ModelCatalog.ModelForgotten(var name)) -> forget(name);
      case FromCatalog(ModelCatalog.CaughtUp()) -> {
        modelsAreKnown = true;
        serveWhenReady();
      }
      case FromWorker(WorkerLifecycle.WorkerStarted started) -> {
        slotsAreUp |= slots.started(started.id());
        serveWhenReady();
      }
      case FromWorker(WorkerLifecycle.WorkerFailed(var id, var reason)) -> {
        if (!slots.hasBeenUp(id)) {
          status.end(false, "slot " + id.slot() + " cannot start: " + reason);
        }
      }
      case WorkerEnded(var slot, var startNs) -> {
        drain.workerIsDone(slots.ended(slot, startNs));
      }
      case StartSlot(var slot) -> slots.start(slot);
      case NodeDrain.Step step -> drain.on(step);
      case PollTransfers() -> parts.agent().poll();
    }
    return this;
  }

  /**
   * Another node of our name may still be there; it is the former life of this one, or a mistake.
   */
  private void checkName() {
    if (bearer().isEmpty()) {
      timers.cancel(new NameOverdue());
      joined = true;
      serveWhenReady();
    } else {
      timers.startSingleTimer(new CheckName(), parts.cluster().reportInterval());
    }
  }

  /** Whoever else has our name. */
  private Optional<Member> bearer() {
    final Member self = cluster.selfMember();
    return Members.named(parts.cluster().self().name(), cluster.state())
        .filter(member -> !member.uniqueAddress().equals(self.uniqueAddress()));
  }

  private void nameOverdue() {
    bearer()
        .ifPresent(other ->
            status.end(
                false, "another node of the cluster has this name: " + NodePeers.describe(other)));
  }

  private void serveWhenReady() {
    if (joined && slotsAreUp && modelsAreKnown) status.onReady();
  }

  private void serve(ServedModel model) {
    if (hubs.containsKey(model.name())) return;
    final String name = model.name();
    final ActorRef<PlannerCommand> plannerOfModel =
        getContext().spawnAnonymous(PlannerHost.proxy(planner, name));
    final var reporting =
        new SessionHub.Reporting(
            plannerOfModel, parts.settings().planner().reportInterval(), parts.nanoClock());
    final ActorRef<SessionHub.Command> hub =
        getContext()
            .spawnAnonymous(
                restarting(
                    SessionHub.create(
                        this::newHubId,
                        model,
                        getContext().spawnAnonymous(EntityKinds.proxy(routers, name)),
                        parts.settings().session(),
                        stats -> parts.figures().sessions(name, stats),
                        reporting)));
    hubs.put(name, hub);
    lostNodes.forEach(node -> hub.tell(new SessionHub.NodeUnreachable(node)));
    parts.generations().add(model, hub);
    if (status.state() == LocalNode.State.DRAINING) hub.tell(new SessionHub.Close());
  }

  /** On another actor's thread. Differs from that of any hub of any node's life. */
  private String newHubId() {
    return Long.toUnsignedString(nodeLife, Character.MAX_RADIX) + "-" + hubLives.incrementAndGet();
  }

  private void forget(String model) {
    getContext().getLog().warn("Nobody hosts [{}] any more", model);
    parts.generations().remove(model);
    final ActorRef<SessionHub.Command> hub = hubs.remove(model);
    if (hub != null) getContext().stop(hub);
  }

  /** Called on another actor's thread, as the next one. */
  private NodeMessage.NodeReport report(ActorRef<NodeMessage> peers) {
    final NodeFigures figures = parts.figures();
    return new NodeMessage.NodeReport(
        parts.cluster().self().name(),
        startMillis,
        status.state(),
        figures.httpPort(),
        parts.hosted().map(hosted -> hosted.served().name()).orElse(null),
        parts.board().workers(),
        figures.routers(),
        parts.board().sessions(),
        parts.board().transfer(),
        parts.transferRoutes().get(),
        figures.hostsPlanner(),
        figures.decisions(),
        peers);
  }

  private void drainSelf() {
    status.onDraining();
    self.tell(new Drain());
  }

  private void drain() {
    if (drain.hasBegun()) return;
    getContext().getLog().info("Draining");
    slots.close();
    drain.begin(List.copyOf(hubs.values()), slots.workers());
  }

  /** The children have ended: nobody uses the transfer layer any more. */
  private Behavior<Command> onStop() {
    parts.agent().close();
    return this;
  }
}
