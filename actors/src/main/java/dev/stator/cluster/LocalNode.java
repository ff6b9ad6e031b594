package dev.stator.cluster;

import dev.stator.protocol.WorkerRole;
import dev.stator.request.Generations;
import dev.stator.request.LocalGenerations;
import dev.stator.request.ServedModel;
import dev.stator.request.SessionHub;
import dev.stator.transport.InProcessBackend;
import dev.stator.transport.TransferAgent;
import dev.stator.transport.TransferBackend;
import dev.stator.transport.TransferStats;
import dev.stator.worker.StatsBoard;
import dev.stator.worker.TransferFigures;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;

/**
 * A whole server without its HTTP face: router, workers, cache directory, planner and sessions of
 * one model on one actor system. Any thread may call it.
 */
public final class LocalNode implements Node {
  /** Health as the load balancer sees it. */
  public enum State {
    /** Engines are being made. */
    STARTING,
    SERVING,
    /** Finishing what runs, accepting nothing new. */
    DRAINING,
    STOPPED
  }

  /**
   * What a node takes from outside; a test gives its own.
   *
   * @param backend used, not owned
   * @param keys makes the transfer grants' keys
   * @param choices breaks ties between workers
   */
  record Surroundings(
      TransferBackend backend,
      LongSupplier nanoClock,
      RandomGenerator keys,
      RandomGenerator choices) {}

  private static final Duration ACTORS_START_MAX = Duration.ofSeconds(30);
  private static final AtomicLong NODES = new AtomicLong(); // Names must differ within a system.

  private final ServedModel model;
  private final StatsBoard stats;
  private final NodeStatus status;
  private final ActorRef<NodeGuardian.Command> guardian;
  private final ActorRef<SessionHub.Command> hub;
  private final Generations generations;

  /**
   * Starts the actors; the slots' engines are made in the background.
   *
   * @param slots at least one with the decode role
   * @throws IllegalArgumentException when the slots cannot serve, or the settings are out of range
   */
  public static LocalNode start(ActorSystem<?> system, ServedModel model, List<EngineSlot> slots) {
    final NodeSettings settings = NodeSettings.from(system.settings().config());
    final InProcessBackend backend = InProcessBackend.create(settings.transport());
    final LocalNode node =
        start(
            system,
            model,
            slots,
            new Surroundings(
                backend, System::nanoTime, new SecureRandom(), new SplittableRandom()));
    node.status.stopped().thenRun(backend::close);
    return node;
  }

  static LocalNode start(
      ActorSystem<?> system, ServedModel model, List<EngineSlot> slots, Surroundings surroundings) {
    return new LocalNode(system, model, slots, surroundings);
  }

  private LocalNode(
      ActorSystem<?> system, ServedModel model, List<EngineSlot> slots, Surroundings surroundings) {
    check(slots);
    this.model = model;
    final NodeSettings settings = NodeSettings.from(system.settings().config());
    final String name = "stator-node-" + NODES.incrementAndGet();
    final var agent =
        new TransferAgent(
            name,
            settings.transport(),
            surroundings.backend(),
            surroundings.nanoClock(),
            surroundings.keys());
    this.stats = new StatsBoard(() -> figures(agent.stats()));
    this.status = new NodeStatus();
    final var parts =
        new NodeGuardian.Parts(
            model,
            List.copyOf(slots),
            settings,
            agent,
            stats,
            surroundings.nanoClock(),
            surroundings.choices());
    this.guardian = system.systemActorOf(NodeGuardian.create(parts, status), name, Props.empty());
    this.hub = status.hub().orTimeout(ACTORS_START_MAX.toSeconds(), TimeUnit.SECONDS).join();
    this.generations = new LocalGenerations(hub, settings.session());
  }

  @Override
  public Generations generations() {
    return generations;
  }

  @Override
  public List<ServedModel> models() {
    return List.of(model);
  }

  @Override
  public StatsBoard stats() {
    return stats;
  }

  @Override
  public State state() {
    return status.state();
  }

  /**
   * Completes when every slot's engine is up; fails with the reason when one cannot be made, and
   * the node has stopped then.
   */
  @Override
  public CompletionStage<Done> ready() {
    return status.ready().minimalCompletionStage();
  }

  /** Refuses calls started from now on as unavailable, finishes what runs, then stops. */
  @Override
  public CompletionStage<Done> drain() {
    status.onDraining();
    hub.tell(new SessionHub.Close());
    guardian.tell(new NodeGuardian.Drain());
    return status.stopped().minimalCompletionStage();
  }

  /** Stops at once; what runs fails as unavailable. */
  @Override
  public CompletionStage<Done> stop() {
    guardian.tell(new NodeGuardian.Stop());
    return status.stopped().minimalCompletionStage();
  }

  private static void check(List<EngineSlot> slots) {
    final Set<String> names = new HashSet<>();
    for (EngineSlot slot : slots) {
      if (!names.add(slot.name())) {
        throw new IllegalArgumentException("two slots are named " + slot.name());
      }
    }
    if (slots.stream().noneMatch(slot -> slot.roles().contains(WorkerRole.DECODE))) {
      throw new IllegalArgumentException("none of " + slots.size() + " slots decodes");
    }
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
