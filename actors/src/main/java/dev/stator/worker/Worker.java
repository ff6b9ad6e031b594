package dev.stator.worker;

import dev.stator.engine.Engine;
import dev.stator.kv.BlockHash;
import dev.stator.kv.KvEvent;
import dev.stator.protocol.CacheCommand;
import dev.stator.protocol.DecodeCommand;
import dev.stator.protocol.EngineWork;
import dev.stator.protocol.KvBatch;
import dev.stator.protocol.KvDumpPart;
import dev.stator.protocol.KvTier;
import dev.stator.protocol.PlannerCommand;
import dev.stator.protocol.PrefillCommand;
import dev.stator.protocol.RouterCommand;
import dev.stator.protocol.StepSums;
import dev.stator.protocol.WorkerCommand;
import dev.stator.protocol.WorkerDescription;
import dev.stator.protocol.WorkerId;
import dev.stator.protocol.WorkerReport;
import dev.stator.protocol.WorkerRole;
import dev.stator.protocol.WorkerUp;
import dev.stator.transport.TransferAgent;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.ChildFailed;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * One life of an engine slot: the engine, its two roles, and what the others know of it.
 *
 * <pre>
 *   STARTING ── engine made ──▶ UP ── TakeRoles ──▶ UP, finishing the lost roles' work ──▶ UP
 *        └────── engine or a role fails ──▶ (ends; the keeper starts the slot anew, under a new id)
 * </pre>
 *
 * Introduces itself to router and planner, numbers its KV events for router and cache, reports its
 * load. Spawned once a life by the slot's keeper.
 */
public final class Worker extends AbstractBehavior<Worker.Command> {
  /** What comes in; the outside speaks {@link WorkerCommand}. */
  sealed interface Command {}

  private record Received(WorkerCommand command) implements Command {}

  private record FromEngine(EngineActor.Notice notice) implements Command {}

  private record RoleIsIdle(RoleIdle role) implements Command {}

  private record Report() implements Command {} // Our own timer's message.

  /** A role tells that nothing of it runs any more. */
  enum RoleIdle {
    PREFILL,
    DECODE
  }

  /**
   * Whom a worker talks to.
   *
   * @param keeper hears of start and failure
   */
  public record Peers(
      ActorRef<RouterCommand> router,
      ActorRef<CacheCommand> cache,
      ActorRef<PlannerCommand> planner,
      ActorRef<? super WorkerLifecycle> keeper) {}

  /** What a worker works with. */
  public record Tools(
      TransferAgent agent, StatsBoard board, LongSupplier nanoClock, WorkerSettings settings) {}

  private static final DispatcherSelector ENGINE_DISPATCHER =
      DispatcherSelector.fromConfig("stator.engine-dispatcher");

  /**
   * @param engine makes the engine, on its own thread
   */
  public static Behavior<WorkerCommand> create(
      WorkerId id, Set<WorkerRole> roles, Supplier<Engine> engine, Peers peers, Tools tools) {
    final Behavior<Command> inner =
        Behaviors.setup(context ->
            Behaviors.withTimers(
                timers -> new Worker(context, timers, id, roles, engine, peers, tools)));
    return Behaviors.transformMessages(
        WorkerCommand.class, inner, builder -> builder.match(WorkerCommand.class, Received::new));
  }

  private final TimerScheduler<Command> timers;
  private final WorkerId id;
  private final Peers peers;
  private final Tools tools;
  private final WorkerGauge gauge;
  private final ActorRef<EngineActor.Command> engine;
  private final KvJournal journal = new KvJournal();
  private final Set<RoleIdle> busy = EnumSet.noneOf(RoleIdle.class);
  private StepSums reportedSteps = StepSums.NONE;
  private Set<WorkerRole> roles;
  private WorkerCommand.TakeRoles takingRoles; // Whom to answer when no lost role is busy.
  private WorkerDescription description; // Null until the engine is made, as are the next two.
  private ActorRef<DecodeCommand> decode;
  private ActorRef<PrefillCommand> prefill;

  private Worker(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      WorkerId id,
      Set<WorkerRole> roles,
      Supplier<Engine> factory,
      Peers peers,
      Tools tools) {
    super(context);
    this.timers = timers;
    this.id = id;
    this.roles = Set.copyOf(roles);
    this.peers = peers;
    this.tools = tools;
    this.gauge = new WorkerGauge(id, this.roles, tools.board());
    final var surroundings =
        new EngineActor.Surroundings(
            id,
            tools.agent(),
            gauge,
            tools.nanoClock(),
            tools.settings().engineFailuresMax(),
            context.messageAdapter(EngineActor.Notice.class, FromEngine::new));
    this.engine =
        context.spawn(EngineActor.create(factory, surroundings), "engine", ENGINE_DISPATCHER);
    context.watch(engine);
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onAnyMessage(this::onMessage)
        .onSignal(ChildFailed.class, signal -> onChildGone(signal.getCause().toString()))
        .onSignal(PostStop.class, signal -> onStop())
        .onSignal(Terminated.class, signal -> onChildGone(signal.getRef().path().name() + " ended"))
        .build();
  }

  private Behavior<Command> onMessage(Command command) {
    switch (command) {
      case FromEngine(EngineActor.Started(var made, var memoryId)) -> start(made, memoryId);
      case FromEngine(EngineActor.KvHappened(var events)) -> publish(events);
      case Received(WorkerCommand.DumpKv(var replyTo)) -> dump(replyTo);
      case Received(WorkerCommand.Introduce(var replyTo)) -> {
        if (description != null) replyTo.tell(introduction());
      }
      case Received(WorkerCommand.TakeRoles takeRoles) -> takeRoles(takeRoles);
      case RoleIsIdle(var role) -> {
        busy.remove(role);
        answerWhenRolesAreTaken();
      }
      case Report() -> report();
    }
    return this;
  }

  private void start(WorkerDescription made, int memoryId) {
    description = made;
    final var surroundings =
        new RoleSurroundings(made, engine, memoryId, tools.agent(), gauge, tools.settings());
    decode =
        getContext()
            .spawn(DecodeWorker.create(surroundings, roles.contains(WorkerRole.DECODE)), "decode");
    prefill =
        getContext()
            .spawn(
                PrefillWorker.create(surroundings, roles.contains(WorkerRole.PREFILL)), "prefill");
    getContext().watch(decode);
    getContext().watch(prefill);
    final WorkerUp introduction = introduction();
    peers.router().tell(introduction);
    peers.planner().tell(introduction);
    peers.keeper().tell(new WorkerLifecycle.WorkerStarted(id, roles));
    timers.startTimerWithFixedDelay(new Report(), tools.settings().reportInterval());
    getContext().getLog().debug("Worker [{}] is up: {}", id, description);
  }

  private WorkerUp introduction() {
    return new WorkerUp(description, roles, gauge.load(), self(), decode, prefill);
  }

  private ActorRef<WorkerCommand> self() {
    return getContext().getSelf().unsafeUpcast(); // Transformed back on arrival, see create.
  }

  private void publish(List<KvEvent> events) {
    final KvBatch batch = new KvBatch(id, journal.append(events), KvTier.DEVICE, events, self());
    peers.router().tell(batch);
    peers.cache().tell(batch);
  }

  private void dump(ActorRef<? super KvDumpPart> replyTo) {
    final List<List<BlockHash>> parts = journal.dump(tools.settings().dumpPartBlocks());
    for (int index = 0; index < parts.size(); index++) {
      replyTo.tell(
          new KvDumpPart(
              id,
              journal.nextSequence(),
              KvTier.DEVICE,
              index,
              index == parts.size() - 1,
              parts.get(index)));
    }
  }

  private void report() {
    final WorkerReport report = new WorkerReport(id, roles, gauge.load(), self());
    peers.router().tell(report);
    peers.planner().tell(report);
    final StepSums steps = gauge.steps();
    if (steps.steps() > reportedSteps.steps()) peers.planner().tell(new EngineWork(id, steps));
    reportedSteps = steps;
  }

  /** Only the latest change of roles is answered. */
  private void takeRoles(WorkerCommand.TakeRoles takeRoles) {
    roles = takeRoles.roles();
    takingRoles = takeRoles;
    gauge.rolesTaken(roles);
    getContext().getLog().info("Worker [{}] takes the roles {}", id, roles);
    if (description == null) {
      answerWhenRolesAreTaken();
      return;
    }
    final ActorRef<RoleIdle> idle = getContext().messageAdapter(RoleIdle.class, RoleIsIdle::new);
    final boolean decodes = roles.contains(WorkerRole.DECODE);
    final boolean prefills = roles.contains(WorkerRole.PREFILL);
    if (!decodes) busy.add(RoleIdle.DECODE);
    if (!prefills) busy.add(RoleIdle.PREFILL);
    decode.<DecodeWorker.Command>unsafeUpcast().tell(new DecodeWorker.Accept(decodes, idle));
    prefill.<PrefillWorker.Command>unsafeUpcast().tell(new PrefillWorker.Accept(prefills, idle));
    if (decodes) busy.remove(RoleIdle.DECODE);
    if (prefills) busy.remove(RoleIdle.PREFILL);
    report();
    answerWhenRolesAreTaken();
  }

  private void answerWhenRolesAreTaken() {
    if (takingRoles == null || !busy.isEmpty()) return;
    takingRoles.replyTo().tell(new WorkerCommand.RolesTaken(id, roles));
    takingRoles = null;
  }

  private Behavior<Command> onStop() {
    gauge.close();
    return this;
  }

  private Behavior<Command> onChildGone(String reason) {
    getContext().getLog().warn("Worker [{}] ends: {}", id, reason);
    peers.keeper().tell(new WorkerLifecycle.WorkerFailed(id, reason));
    return Behaviors.stopped();
  }
}
