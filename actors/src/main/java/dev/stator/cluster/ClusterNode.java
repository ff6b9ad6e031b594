package dev.stator.cluster;

import dev.stator.protocol.WorkerRole;
import dev.stator.request.Generations;
import dev.stator.request.ServedModel;
import dev.stator.transport.InProcessBackend;
import dev.stator.transport.TransferAgent;
import dev.stator.transport.TransferBackend;
import dev.stator.transport.TransferStats;
import dev.stator.worker.StatsBoard;
import dev.stator.worker.TransferFigures;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.cluster.typed.Cluster;

/**
 * One node of a cluster. Its actor system is configured by {@link ClusterConfig} and ends with the
 * node. Any thread may call it.
 */
public final class ClusterNode implements Node {
  /**
   * What a node takes from outside; a test gives its own.
   *
   * @param backend moves KV blocks; used, not owned
   * @param transferRoutes how blocks go to other nodes' agents, for the view: backend by agent
   * @param wallClock for what people read
   * @param keys makes the transfer grants' keys
   * @param choices breaks ties between workers
   */
  public record Surroundings(
      TransferBackend backend,
      Supplier<Map<String, String>> transferRoutes,
      LongSupplier nanoClock,
      Supplier<Instant> wallClock,
      RandomGenerator keys,
      RandomGenerator choices) {
    /** The machine's clocks, secure keys. */
    public static Surroundings of(
        TransferBackend backend, Supplier<Map<String, String>> transferRoutes) {
      return new Surroundings(
          backend,
          transferRoutes,
          System::nanoTime,
          Instant::now,
          new SecureRandom(),
          new SplittableRandom());
    }
  }

  /**
   * How a node ended.
   *
   * @param expected whether somebody asked for it
   * @param reason one sentence for the operator
   */
  public record Ending(boolean expected, String reason) {}

  private final Cluster cluster;
  private final ClusterSettings settings;
  private final ClusterStatus status;
  private final StatsBoard board;
  private final NodeFigures figures;
  private final ClusterKnowledge knowledge;
  private final ClusterGenerations generations;
  private final ActorRef<ClusterGuardian.Command> guardian;

  /**
   * Starts a node whose blocks move within this process only.
   *
   * @param hosted for nodes with a worker role
   * @param cardReader makes a model from another node's card; called on a thread that may block
   * @throws IllegalArgumentException when identity, model and configuration do not fit, or a
   *     setting is out of range
   */
  public static ClusterNode start(
      ActorSystem<?> system,
      NodeIdentity self,
      Optional<HostedModel> hosted,
      Function<byte[], ServedModel> cardReader) {
    final InProcessBackend backend =
        InProcessBackend.create(NodeSettings.from(system.settings().config()).transport());
    final ClusterNode node =
        start(system, self, hosted, cardReader, Surroundings.of(backend, Map::of));
    node.stopped().thenRun(backend::close);
    return node;
  }

  /** As {@link #start(ActorSystem, NodeIdentity, Optional, Function)} with the transfers given. */
  public static ClusterNode start(
      ActorSystem<?> system,
      NodeIdentity self,
      Optional<HostedModel> hosted,
      Function<byte[], ServedModel> cardReader,
      Surroundings surroundings) {
    return new ClusterNode(system, self, hosted, cardReader, surroundings);
  }

  private ClusterNode(
      ActorSystem<?> system,
      NodeIdentity self,
      Optional<HostedModel> hosted,
      Function<byte[], ServedModel> cardReader,
      Surroundings surroundings) {
    this.settings = ClusterSettings.from(system.settings().config());
    check(settings, self, hosted);
    final NodeSettings nodeSettings = NodeSettings.from(system.settings().config());
    this.cluster = Cluster.get(system);
    this.status = new ClusterStatus(system, self);
    final var agent =
        new TransferAgent(
            self.name() + "~" + system.startTime(), // Differs between lives.
            nodeSettings.transport(),
            surroundings.backend(),
            surroundings.nanoClock(),
            surroundings.keys());
    this.board = new StatsBoard(() -> figures(agent.stats()));
    this.figures = new NodeFigures(board);
    this.knowledge = new ClusterKnowledge(surroundings.nanoClock());
    this.generations = new ClusterGenerations(nodeSettings.session());
    final var parts =
        new ClusterGuardian.Parts(
            settings,
            nodeSettings,
            hosted,
            cardReader,
            agent,
            board,
            figures,
            knowledge,
            generations,
            surroundings.transferRoutes(),
            surroundings.nanoClock(),
            surroundings.wallClock(),
            seeds(surroundings.choices()));
    this.guardian =
        system.systemActorOf(
            ClusterGuardian.create(parts, status), "stator-cluster", Props.empty());
  }

  private static void check(
      ClusterSettings settings, NodeIdentity self, Optional<HostedModel> hosted) {
    if (!settings.self().equals(self)) {
      throw new IllegalArgumentException(
          "the actor system is configured for %s, not for %s".formatted(settings.self(), self));
    }
    if (self.isWorker() != hosted.isPresent()) {
      throw new IllegalArgumentException(
          self.isWorker()
              ? "node " + self.name() + " needs a model, for it prefills or decodes"
              : "node " + self.name() + " has a model, but does not prefill or decode");
    }
    if (hosted.isEmpty()) return;
    if (hosted.get().card().length > settings.cardBytesMax()) {
      throw new IllegalArgumentException(
          "the model's card has %d bytes, stator.cluster.card-bytes-max is %d"
              .formatted(hosted.get().card().length, settings.cardBytesMax()));
    }
    final Set<WorkerRole> roles = EnumSet.noneOf(WorkerRole.class);
    hosted.get().slots().forEach(slot -> roles.addAll(slot.roles()));
    if (self.has(NodeRole.DECODE) && !roles.contains(WorkerRole.DECODE)) {
      throw new IllegalArgumentException("none of the slots of node " + self.name() + " decodes");
    }
  }

  @Override
  public Generations generations() {
    return generations;
  }

  @Override
  public List<ServedModel> models() {
    return generations.models();
  }

  @Override
  public StatsBoard stats() {
    return board;
  }

  @Override
  public LocalNode.State state() {
    return status.state();
  }

  /** Joined, and the slots are up. */
  @Override
  public CompletionStage<Done> ready() {
    return status.ready().minimalCompletionStage();
  }

  /** What {@code GET /cluster} shows; asks nobody. */
  public ClusterView view() {
    return knowledge.view(settings.self().name(), cluster.state(), generations.models());
  }

  /**
   * {@code host:port} where other nodes reach this one, as for {@code stator.cluster.seed-nodes}.
   */
  public String address() {
    return cluster.selfMember().address().hostPort().replaceFirst("^.*@", "");
  }

  /** Tells the others where this node's HTTP server listens. */
  public void publishHttpPort(int port) {
    figures.httpPort(port);
  }

  /**
   * Drains this node or another. Completes when that node has left the cluster; fails when there is
   * no such node.
   */
  public CompletionStage<Done> drainNode(String name) {
    if (name.equals(settings.self().name())) return drain();
    final CompletableFuture<Done> left = new CompletableFuture<>();
    guardian.tell(new ClusterGuardian.DrainNode(name, left));
    return left.minimalCompletionStage();
  }

  /** Finishes or moves what runs, leaves the cluster, and ends the actor system. */
  @Override
  public CompletionStage<Done> drain() {
    status.onDraining(); // A model that is added from now on is closed by the guardian.
    generations.close();
    guardian.tell(new ClusterGuardian.Drain());
    return done();
  }

  /** Leaves the cluster without waiting for what runs, and ends the actor system. */
  @Override
  public CompletionStage<Done> stop() {
    guardian.tell(new ClusterGuardian.Stop());
    return done();
  }

  private CompletionStage<Done> done() {
    return status.stopped().thenApply(ending -> Done.getInstance()).minimalCompletionStage();
  }

  /**
   * Completes when node and actor system have ended, whoever wanted it: also when the others took
   * this node for dead, or its name was taken.
   */
  public CompletionStage<Ending> stopped() {
    return status.stopped().minimalCompletionStage();
  }

  private static LongSupplier seeds(RandomGenerator choices) {
    return () -> {
      synchronized (choices) {
        return choices.nextLong();
      }
    };
  }

  private static TransferFigures figures(TransferStats stats) {
    return new TransferFigures(
        stats.openGrants(),
        stats.inFlightBlocks(),
        stats.sentBytes(),
        stats.receivedBytes(),
        stats.rejectedBlocks());
  }
}
