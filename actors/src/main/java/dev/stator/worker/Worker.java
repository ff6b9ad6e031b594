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
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
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

  private record DecodeOpened(ActorRef<DecodeCommand> actor) implements Command {}

  private record PrefillOpened(ActorRef<PrefillCommand> actor) implements Command {}

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
      TransferAgent agent,
      StatsBoard board,
      LongSupplier nanoClock,
      WorkerSettings settings,
      RoleHost roleHost) {
    /** With the roles below the worker. */
    public Tools(
        TransferAgent agent, StatsBoard board, LongSupplier nanoClock, WorkerSettings settings) {
      this(agent, board, nanoClock, settings, RoleHost.local());
    }
  }

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
  private final Map<KvTier, KvJournal> journals = new EnumMap<>(KvTier.class);
  private final RoleSeat<DecodeCommand> decode = new RoleSeat<>(WorkerRole.DECODE);
  private final RoleSeat<PrefillCommand> prefill = new RoleSeat<>(WorkerRole.PREFILL);
  private StepSums reportedSteps = StepSums.NONE;
  private Set<WorkerRole> roles;
  private WorkerCommand.TakeRoles takingRoles; // Whom to answer when no lost role is busy.
  private RoleSurroundings roleSurroundings; // Null until the engine is made, as the next.
  private ActorRef<PrefillCommand> lender;
  private boolean introduced;

  private Worker(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      WorkerId id,
      Set<WorkerRole> roles,
      Supplier<Engine> factory,
      Peers peers,
      Tools tools) {
    super(context);
    context.setLoggerName(Worker.class);
    this.timers = timers;
    this.id = id;
    this.roles = Set.copyOf(roles);
    this.peers = peers;
    this.tools = tools;
    this.gauge =
        new WorkerGauge(
            id, this.roles, tools.board(), tools.nanoClock(), tools.settings().rateMaxAge());
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
        .onSignal(Terminated.class, signal -> onTerminated(signal.getRef()))
        .build();
  }

  private Behavior<Command> onMessage(Command command) {
    switch (command) {
      case FromEngine(EngineActor.Started(var made, var memoryId)) -> start(made, memoryId);
      case FromEngine(EngineActor.KvHappened(var tier, var events)) -> publish(tier, events);
      case Received(WorkerCommand.DumpKv(var replyTo)) -> dump(replyTo);
      case Received(WorkerCommand.Introduce(var replyTo)) -> {
        if (introduced) replyTo.tell(introduction());
      }
      case Received(WorkerCommand.TakeRoles takeRoles) -> takeRoles(takeRoles);
      case Received(WorkerCommand.Evict(var reason)) -> evict(reason);
      case DecodeOpened(var actor) -> opened(decode, actor);
      case PrefillOpened(var actor) -> opened(prefill, actor);
      case RoleIsIdle(var role) -> roleIsIdle(role == RoleIdle.DECODE ? decode : prefill);
      case Report() -> report();
    }
    return this;
  }

  private void start(WorkerDescription made, int memoryId) {
    roleSurroundings =
        new RoleSurroundings(
            made, engine, memoryId, tools.agent(), gauge, tools.nanoClock(), tools.settings());
    getContext().getLog().debug("Engine of [{}] is up: {}", id, made);
    lender = getContext().spawn(PrefillWorker.create(roleSurroundings, false), "lender");
    getContext().watch(lender);
    openRoles();
    timers.startTimerWithFixedDelay(new Report(), tools.settings().reportInterval());
  }

  /** Asks for the actors that are missing. */
  private void openRoles() {
    if (isMissing(decode)) {
      tools
          .roleHost()
          .openDecode(getContext(), id, decodeBehavior())
          .ifPresent(actor -> opened(decode, actor));
    }
    if (isMissing(prefill)) {
      tools
          .roleHost()
          .openPrefill(getContext(), id, prefillBehavior())
          .ifPresent(actor -> opened(prefill, actor));
    }
  }

  private boolean isMissing(RoleSeat<?> seat) {
    return !seat.isOpen() && (roles.contains(seat.role) || !tools.roleHost().endsLostRoles());
  }

  private Behavior<DecodeCommand> decodeBehavior() {
    final RoleSurroundings surroundings = roleSurroundings;
    final boolean accepts = roles.contains(WorkerRole.DECODE);
    final ActorRef<Command> self = getContext().getSelf();
    return Behaviors.setup(role -> {
      self.tell(new DecodeOpened(role.getSelf()));
      return DecodeWorker.create(surroundings, accepts);
    });
  }

  private Behavior<PrefillCommand> prefillBehavior() {
    final RoleSurroundings surroundings = roleSurroundings;
    final boolean accepts = roles.contains(WorkerRole.PREFILL);
    final ActorRef<Command> self = getContext().getSelf();
    return Behaviors.setup(role -> {
      self.tell(new PrefillOpened(role.getSelf()));
      return PrefillWorker.create(surroundings, accepts);
    });
  }

  private <T> void opened(RoleSeat<T> seat, ActorRef<T> actor) {
    if (seat.is(actor)) return; // It was there at once.
    seat.opened(actor);
    getContext().watch(actor);
    tellRoles(); // They may have changed since it was asked for.
    introduceWhenOpen();
    answerWhenRolesAreTaken();
  }

  /** What the others need to know to send work here. */
  private void introduceWhenOpen() {
    if (isMissing(decode) || isMissing(prefill)) return;
    final WorkerUp introduction = introduction();
    peers.router().tell(introduction);
    peers.planner().tell(introduction);
    if (introduced) return;
    introduced = true;
    peers.keeper().tell(new WorkerLifecycle.WorkerStarted(id, roles));
    getContext().getLog().debug("Worker [{}] is up", id);
  }

  private WorkerUp introduction() {
    return new WorkerUp(
        roleSurroundings.description(),
        openRolesTaken(),
        gauge.load(),
        self(),
        decode.actor(),
        prefill.actor(),
        lender);
  }

  /** Of the roles taken, those that somebody is there for. */
  private Set<WorkerRole> openRolesTaken() {
    final Set<WorkerRole> open = EnumSet.noneOf(WorkerRole.class);
    for (RoleSeat<?> seat : List.of(decode, prefill)) {
      if (seat.isOpen() && roles.contains(seat.role)) open.add(seat.role);
    }
    return open;
  }

  private ActorRef<WorkerCommand> self() {
    return getContext().getSelf().unsafeUpcast(); // Transformed back on arrival, see create.
  }

  /** A tier is spoken of from its first event on, the device always. */
  private KvJournal journal(KvTier tier) {
    return journals.computeIfAbsent(tier, unspoken -> new KvJournal());
  }

  private void publish(KvTier tier, List<KvEvent> events) {
    final KvBatch batch = new KvBatch(id, journal(tier).append(events), tier, events, self());
    peers.router().tell(batch);
    peers.cache().tell(batch);
  }

  private void dump(ActorRef<? super KvDumpPart> replyTo) {
    journal(KvTier.DEVICE);
    journals.forEach((tier, journal) -> dump(tier, journal, replyTo));
  }

  private void dump(KvTier tier, KvJournal journal, ActorRef<? super KvDumpPart> replyTo) {
    final List<List<BlockHash>> parts = journal.dump(tools.settings().dumpPartBlocks());
    for (int index = 0; index < parts.size(); index++) {
      replyTo.tell(
          new KvDumpPart(
              id,
              journal.nextSequence(),
              tier,
              index,
              index == parts.size() - 1,
              parts.get(index)));
    }
  }

  private void report() {
    openRoles();
    if (!introduced) return;
    final WorkerReport report =
        new WorkerReport(id, openRolesTaken(), gauge.load(), gauge.rates(), self());
    peers.router().tell(report);
    peers.planner().tell(report);
    final StepSums steps = gauge.steps();
    if (steps.steps() > reportedSteps.steps()) peers.planner().tell(new EngineWork(id, steps));
    reportedSteps = steps;
    journal(KvTier.DEVICE);
    // Shows a hole, where the last events were lost.
    journals.keySet().forEach(tier -> publish(tier, List.of()));
  }

  /** Only the latest change of roles is answered. */
  private void takeRoles(WorkerCommand.TakeRoles takeRoles) {
    roles = takeRoles.roles();
    takingRoles = takeRoles;
    gauge.rolesTaken(roles);
    getContext().getLog().info("Worker [{}] takes the roles {}", id, roles);
    if (roleSurroundings != null) {
      for (RoleSeat<?> seat : List.of(decode, prefill)) seat.busy(!roles.contains(seat.role));
      tellRoles();
      report();
    }
    answerWhenRolesAreTaken();
  }

  private void tellRoles() {
    final ActorRef<RoleIdle> idle = getContext().messageAdapter(RoleIdle.class, RoleIsIdle::new);
    if (decode.isOpen()) {
      tellDecode(new DecodeWorker.Accept(roles.contains(WorkerRole.DECODE), idle));
    }
    if (prefill.isOpen()) {
      tellPrefill(new PrefillWorker.Accept(roles.contains(WorkerRole.PREFILL), idle));
    }
  }

  private void tellDecode(DecodeWorker.Command command) {
    decode.actor().<DecodeWorker.Command>unsafeUpcast().tell(command); // See DecodeWorker.create.
  }

  private void tellPrefill(PrefillWorker.Command command) {
    prefill.actor().<PrefillWorker.Command>unsafeUpcast().tell(command);
  }

  private void evict(String reason) {
    if (decode.isOpen()) tellDecode(new DecodeWorker.Evict(reason));
    if (prefill.isOpen()) tellPrefill(new PrefillWorker.Evict(reason));
  }

  private void roleIsIdle(RoleSeat<?> seat) {
    if (!seat.isOpen() || roles.contains(seat.role)) return; // It has the role again.
    seat.busy(false);
    if (tools.roleHost().endsLostRoles()) {
      seat.ending();
      if (seat == decode) tellDecode(new DecodeWorker.Close());
      else tellPrefill(new PrefillWorker.Close());
    }
    answerWhenRolesAreTaken();
  }

  private void answerWhenRolesAreTaken() {
    if (takingRoles == null || decode.isBusy() || prefill.isBusy()) return;
    if (roleSurroundings != null && (isMissing(decode) || isMissing(prefill))) return;
    takingRoles.replyTo().tell(new WorkerCommand.RolesTaken(id, roles));
    takingRoles = null;
  }

  private Behavior<Command> onStop() {
    tools.roleHost().forget(id);
    gauge.close();
    return this;
  }

  /** A lost role's actor was told to end; anything else has failed. */
  private Behavior<Command> onTerminated(ActorRef<?> ref) {
    for (RoleSeat<?> seat : List.of(decode, prefill)) {
      if (!seat.is(ref) || !seat.isEnding()) continue;
      seat.closed();
      openRoles();
      return this;
    }
    return onChildGone(ref.path().name() + " ended");
  }

  private Behavior<Command> onChildGone(String reason) {
    getContext().getLog().warn("Worker [{}] ends: {}", id, reason);
    peers.keeper().tell(new WorkerLifecycle.WorkerFailed(id, reason));
    return Behaviors.stopped();
  }
}
