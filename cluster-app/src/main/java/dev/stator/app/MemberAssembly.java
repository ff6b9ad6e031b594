package dev.stator.app;

import com.typesafe.config.Config;
import dev.stator.cli.ClusterMembership;
import dev.stator.cli.NodeSettings;
import dev.stator.cli.NodeSummary;
import dev.stator.cluster.ClusterNode;
import dev.stator.cluster.ClusterView;
import dev.stator.cluster.HostedModel;
import dev.stator.cluster.LocalNode;
import dev.stator.cluster.NodeIdentity;
import dev.stator.cluster.NodeRole;
import dev.stator.device.cpu.CpuDevice;
import dev.stator.http.ClusterAccess;
import dev.stator.http.HttpServer;
import dev.stator.http.HttpSettings;
import dev.stator.http.ReadinessState;
import dev.stator.http.ServerParts;
import dev.stator.metrics.Metrics;
import dev.stator.model.LoadedModel;
import dev.stator.model.file.ModelCard;
import dev.stator.model.file.ModelCards;
import dev.stator.request.ServedModel;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.apache.pekko.actor.CoordinatedShutdown;
import org.apache.pekko.actor.typed.ActorSystem;

/** Puts a cluster's node together. Used once, by one thread. */
final class MemberAssembly {
  /** What a stop may take beyond the drains: leaving the cluster and closing devices. */
  private static final Duration LEAVE_TIME_MAX = Duration.ofSeconds(20);

  private final NodeSettings settings;
  private final ClusterMembership member;
  private final Config config;
  private final Optional<LoadedModel> model;
  private final CompletableFuture<ActorSystem<Void>> starting;
  private final ReadinessState readiness = new ReadinessState();
  private Transfers transfers;
  private Slots slots;
  private List<NodeSummary.Slot> slotSummaries = List.of();
  private Optional<ServedModel> served = Optional.empty();
  private ClusterNode actors;

  private MemberAssembly(
      NodeSettings settings,
      ClusterMembership member,
      Config config,
      Optional<LoadedModel> model,
      CompletableFuture<ActorSystem<Void>> starting) {
    this.settings = settings;
    this.member = member;
    this.config = config;
    this.model = model;
    this.starting = starting;
  }

  /**
   * Takes model and system over: when anything fails they are closed again. The system may start
   * while devices are made.
   */
  static StatorNode start(
      NodeSettings settings,
      ClusterMembership member,
      Config config,
      Optional<LoadedModel> model,
      CompletableFuture<ActorSystem<Void>> starting) {
    final MemberAssembly assembly = new MemberAssembly(settings, member, config, model, starting);
    try {
      return assembly.start();
    } catch (RuntimeException | Error failure) {
      assembly.undo();
      throw failure;
    }
  }

  private StatorNode start() {
    transfers = Transfers.start(config);
    final Optional<HostedModel> hosted = model.map(this::host);
    final ActorSystem<Void> system = starting.join();
    actors =
        ClusterNode.start(
            system,
            new NodeIdentity(member.nodeName(), member.roles()),
            hosted,
            MemberAssembly::served,
            ClusterNode.Surroundings.of(transfers.backend(), transfers::routes));
    readiness.watch(() -> actors.state().compareTo(LocalNode.State.DRAINING) >= 0);
    final Metrics metrics = new Metrics(System::nanoTime);
    metrics.watch(actors.stats());
    metrics.watchFrameFaults(transfers::frameFaults);
    metrics.identify(member.nodeName(), roles());
    final CompletionStage<HttpServer> binding =
        HttpServer.start(
            system, HttpSettings.from(config.getConfig("stator.http")), serverParts(metrics));
    final HttpServer http =
        StatorNode.await(binding, config.getDuration("stator.node.start-timeout"));
    CoordinatedShutdown.get(system) // Sessions have ended by then.
        .addTask(CoordinatedShutdown.PhaseServiceRequestsDone(), "http-flush", http::flush);
    actors.publishHttpPort(http.address().getPort());
    StatorNode.await(actors.ready(), startTimeout());
    readiness.markReady();
    return StatorNode.ofMember(
        new StatorNode.Parts(
            system,
            actors,
            http,
            this::closeResources,
            true,
            drainTimeout(),
            drainTimeout().plus(LEAVE_TIME_MAX)),
        actors,
        summary(http));
  }

  private HostedModel host(LoadedModel loaded) {
    slots =
        Slots.ofMember(settings, member, loaded, config, transfers.kvMemory(CpuDevice.ownMemory()));
    slotSummaries = slots.summaries();
    final ServedModel made = LocalAssembly.served(settings, loaded, slots.contextLength());
    served = Optional.of(made);
    final byte[] card =
        ModelCards.write(settings.model().orElseThrow(), made.name(), made.contextLength());
    return new HostedModel(made, card, slots.engineSlots());
  }

  private static ServedModel served(byte[] bytes) {
    final ModelCard card = ModelCards.read(bytes);
    return new ServedModel(
        card.name(),
        Instant.now().getEpochSecond(),
        card.contextLength(),
        card.tokenizer(),
        card.chatTemplate(),
        card.defaults());
  }

  private ServerParts serverParts(Metrics metrics) {
    return new ServerParts(
        member.isFrontend() ? ServerParts.Audience.CLIENTS : ServerParts.Audience.OPERATORS,
        actors::models,
        member.isFrontend() ? actors.generations() : null,
        metrics,
        readiness,
        new ClusterAccess() {
          @Override
          public ClusterView view() {
            return actors.view();
          }

          @Override
          public CompletionStage<?> drain(String node) {
            return actors.drainNode(node);
          }
        });
  }

  private NodeSummary summary(HttpServer http) {
    return new NodeSummary(
        model.map(loaded -> Summaries.model(loaded, served.orElseThrow())),
        slotSummaries,
        Optional.of(
            new NodeSummary.Cluster(
                member.nodeName(),
                roles(),
                actors.address(),
                transfers.names(),
                transfers.copies(),
                actors.models().stream().map(ServedModel::name).toList(),
                member.isFrontend())),
        Summaries.address(settings.host(), http.address().getPort()));
  }

  private String roles() {
    return member.roles().stream().sorted().map(NodeRole::text).collect(Collectors.joining(", "));
  }

  /** A node joins before it serves. */
  private Duration startTimeout() {
    return config
        .getDuration("stator.node.start-timeout")
        .plus(config.getDuration("stator.cluster.join-timeout"));
  }

  /** A frontend's sessions end, then what else runs on a worker's slots. */
  private Duration drainTimeout() {
    final Duration sessions = config.getDuration("stator.cluster.session-drain-timeout");
    final Duration slots = config.getDuration("stator.cluster.drain-timeout");
    if (!member.isFrontend()) return slots;
    return member.isWorker() ? sessions.plus(slots) : sessions;
  }

  private void undo() {
    if (actors == null && slots != null) slots.closeDevices();
    final CompletionStage<?> stopped =
        actors == null ? CompletableFuture.completedFuture(null) : actors.stop();
    LocalAssembly.terminate(stopped, starting, this::closeResources);
  }

  private void closeResources() {
    if (transfers != null) transfers.close();
    model.ifPresent(LoadedModel::close);
  }
}
