package dev.stator.router;

import dev.stator.engine.RequestId;
import dev.stator.kv.BlockHash;
import dev.stator.protocol.BookingCheck;
import dev.stator.protocol.CacheCommand;
import dev.stator.protocol.KvBatch;
import dev.stator.protocol.KvDumpPart;
import dev.stator.protocol.Place;
import dev.stator.protocol.Placement;
import dev.stator.protocol.PlacementAnswer;
import dev.stator.protocol.PlacementAnswer.Cause;
import dev.stator.protocol.RouterCommand;
import dev.stator.protocol.WorkerCommand;
import dev.stator.protocol.WorkerId;
import dev.stator.protocol.WorkerReport;
import dev.stator.protocol.WorkerRole;
import dev.stator.protocol.WorkerUp;
import dev.stator.worker.Parts;
import dev.stator.worker.RouterStats;
import dev.stator.worker.Watched;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.slf4j.Logger;

/**
 * Says where sequences run. One a model; all decisions are made here, where the load they cause is
 * booked at once.
 *
 * <pre>
 *   Place ──▶ worker there? ──yes──▶ compare ──▶ (another place has more? ──▶ ask the cache) ──▶ Placed
 *                  └──no──▶ PENDING ── WorkerUp ──▶ compare        └── timeout ──▶ NotPlaced
 * </pre>
 *
 * Keeps nothing that its workers and sessions could not tell again: an unknown worker that reports
 * is asked to introduce itself, then for a dump of its blocks. Any message may be lost, late or
 * repeated: a question that comes again is answered as before, and session nodes are asked now and
 * then whether what is booked for them still runs. Workers on nodes that cannot be reached are
 * passed over.
 */
public final class Router extends AbstractBehavior<Router.Command> {
  /** What comes in; the outside speaks {@link RouterCommand}. */
  sealed interface Command {}

  private record Received(RouterCommand command) implements Command {}

  private record PendingExpired(RequestId id, int attempt) implements Command {} // Our timer's.

  private record Settled() implements Command {} // Our timer's, as the next two.

  private record CheckBookings() implements Command {}

  private record AskCacheAgain() implements Command {}

  /**
   * @param located {@code null} when the cache was silent
   */
  private record SourcesFound(PlacementAnswer.Placed placed, CacheCommand.Located located)
      implements Command {}

  private static final String OTHER_NUMERICS = "continue-on-other-numerics";
  private static final Duration SILENT_CACHE_PAUSE = Duration.ofSeconds(1);

  /**
   * @param nanoClock for how long it takes to know what its predecessor knew
   * @param onStats gets the figures whenever they change; called on the router's thread
   */
  public static Behavior<RouterCommand> create(
      RouterSettings settings,
      ActorRef<CacheCommand> cache,
      RandomGenerator random,
      LongSupplier nanoClock,
      Consumer<RouterStats> onStats) {
    final Behavior<Command> inner =
        Behaviors.setup(context ->
            Behaviors.withTimers(timers ->
                new Router(
                    context,
                    timers,
                    settings,
                    cache,
                    random,
                    new RebuildClock(nanoClock),
                    onStats)));
    return Behaviors.transformMessages(
        RouterCommand.class, inner, builder -> builder.match(RouterCommand.class, Received::new));
  }

  private final TimerScheduler<Command> timers;
  private final RouterSettings settings;
  private final ActorRef<CacheCommand> cache;
  private final Consumer<RouterStats> onStats;
  private final CostModel costs;
  private final TierIndex index = new TierIndex();
  private final LoadBook book = new LoadBook();
  private final KnownWorkers workers = new KnownWorkers();
  private final Set<RequestId> pending = new LinkedHashSet<>(); // Wait for a worker.
  private final Asked asked = new Asked();
  private final Watched watched;
  private final RebuildClock rebuild;
  private boolean settled;
  private boolean cacheIsSilent;
  private long placedLocal;
  private long placedRemote;
  private long placedPull;
  private long refused;
  private long gaps;

  private Router(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      RouterSettings settings,
      ActorRef<CacheCommand> cache,
      RandomGenerator random,
      RebuildClock rebuild,
      Consumer<RouterStats> onStats) {
    super(context);
    context.setLoggerName(Router.class);
    this.timers = timers;
    this.settings = settings;
    this.cache = cache;
    this.onStats = onStats;
    this.costs = new CostModel(settings, random);
    this.watched = new Watched(context);
    this.rebuild = rebuild;
    this.settled = settings.settleTime().isZero();
    if (!settled) timers.startSingleTimer(new Settled(), settings.settleTime());
    timers.startTimerWithFixedDelay(new CheckBookings(), settings.checkInterval());
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onAnyMessage(this::onMessage)
        .onSignal(Terminated.class, this::onTerminated)
        .build();
  }

  private Behavior<Command> onMessage(Command command) {
    switch (command) {
      case Received(var received) -> onReceived(received);
      case PendingExpired(var id, var attempt) -> {
        final Place place = asked.get(id);
        if (pending.contains(id) && place.attempt() == attempt) {
          ended(id, attempt);
          final boolean areOthers = !workers.with(WorkerRole.DECODE).isEmpty();
          final String limit = "router." + (areOthers ? OTHER_NUMERICS : "decode-workers");
          refuse(place, Cause.UNAVAILABLE, limit, 1, 0);
        }
      }
      case SourcesFound(var placed, var located) -> sourcesFound(placed, located);
      case AskCacheAgain() -> cacheIsSilent = false;
      case Settled() -> {
        settled = true;
        placePending();
      }
      case CheckBookings() -> checkBookings();
    }
    publishStats();
    return this;
  }

  private void onReceived(RouterCommand command) {
    switch (command) {
      case Place place -> place(place);
      case RouterCommand.PrefillFinished(var id, var attempt) -> {
        book.prefillFinished(id, attempt);
        asked.answerHasArrived(id, attempt);
      }
      case RouterCommand.NodeUnreachable(var node) -> workers.nodeUnreachable(node);
      case RouterCommand.NodeReachable(var node) -> {
        workers.nodeReachable(node);
        placePending();
      }
      case RouterCommand.Ended(var id, var attempt) -> ended(id, attempt);
      case WorkerUp up -> workerUp(up);
      case WorkerReport report -> workerReport(report);
      case KvBatch batch -> {
        if (index.apply(batch) == PrefixIndex.Outcome.GAP) {
          gaps++;
          askForDump(batch.worker());
        }
      }
      case KvDumpPart part -> index.applyDump(part);
    }
  }

  private void workerUp(WorkerUp up) {
    final WorkerId id = up.description().id();
    final KnownWorker known = workers.get(id);
    watchRoles(up);
    if (known != null) {
      known.introduced(up);
      placePending();
      return;
    }
    workers.add(new KnownWorker(up));
    getContext().watch(up.worker());
    index.follow(id);
    askForDump(up.worker());
    getContext().getLog().info("Worker [{}] joins with roles {}", id, up.roles());
    placePending();
  }

  private void workerReport(WorkerReport report) {
    final KnownWorker known = workers.get(report.id());
    if (known == null) {
      report.worker().tell(new WorkerCommand.Introduce(self()));
      return;
    }
    known.reported(report, book);
    if (known.isIncomplete()) report.worker().tell(new WorkerCommand.Introduce(self()));
    if (index.waitsForDump(report.id())) askForDump(report.worker());
    placePending();
  }

  private void watchRoles(WorkerUp up) {
    if (up.decode() != null) getContext().watch(up.decode());
    if (up.prefill() != null) getContext().watch(up.prefill());
  }

  private void askForDump(ActorRef<WorkerCommand> worker) {
    worker.tell(new WorkerCommand.DumpKv(self()));
  }

  private ActorRef<RouterCommand> self() {
    return getContext().getSelf().unsafeUpcast(); // Transformed back on arrival, see create.
  }

  private void place(Place place) {
    final Place before = asked.get(place.id());
    if (before != null && before.attempt() > place.attempt()) return; // Overtaken by a later one.
    if (before != null && before.attempt() == place.attempt()) {
      asked.repeated(place);
      return;
    }
    ended(place.id(), place.attempt() - 1);
    if (book.size() >= settings.inFlightMax()) {
      refuse(
          place, Cause.OVERLOADED, "router.in-flight-max", book.size() + 1, settings.inFlightMax());
      return;
    }
    final List<KnownWorker> decoders = decodersFor(place);
    if (!settled || decoders.isEmpty()) {
      makePending(place);
      return;
    }
    final List<KnownWorker> willing =
        decoders.stream().filter(known -> !place.avoid().contains(known.id())).toList();
    if (willing.isEmpty()) {
      final int avoided = place.avoid().size();
      refuse(place, Cause.OVERLOADED, "router.decode-workers", avoided + 1, decoders.size());
      return;
    }
    answer(place, willing);
  }

  private List<KnownWorker> decodersFor(Place place) {
    return workers.decodersFor(place, settings.continueOnOtherNumerics());
  }

  private void makePending(Place place) {
    if (pending.size() >= settings.pendingMax()) {
      refuse(
          place, Cause.OVERLOADED, "router.pending-max", pending.size() + 1, settings.pendingMax());
      return;
    }
    pending.add(place.id());
    remember(place);
    timers.startSingleTimer(
        place.id(), new PendingExpired(place.id(), place.attempt()), settings.pendingTimeout());
  }

  private void placePending() {
    if (pending.isEmpty() || !settled) return;
    for (RequestId id : List.copyOf(pending)) {
      final Place place = asked.get(id);
      if (decodersFor(place).isEmpty()) continue;
      ended(id, place.attempt());
      place(place);
    }
  }

  private void remember(Place place) {
    asked.add(place);
    watched.add(place.sessions());
  }

  private void forget(RequestId id) {
    final Place place = asked.get(id);
    if (place == null) return;
    asked.remove(id);
    watched.remove(place.sessions());
  }

  private void answer(Place place, List<KnownWorker> decoders) {
    final int tokenCount = place.tokens().length;
    final Overlaps overlaps = new Overlaps(place, index, settings.hostOverlapWeight());
    final var field =
        new CostModel.Field(
            options(decoders, overlaps),
            options(
                workers.with(WorkerRole.PREFILL).stream()
                    .filter(known -> !known.has(WorkerRole.DECODE))
                    .toList(),
                overlaps),
            workers.reachable().stream() // Who is avoided may be gone, and would be waited for.
                .filter(known -> !place.avoid().contains(known.id()))
                .map(known -> known.source(overlaps, book))
                .toList());
    final CostModel.Decision decision = costs.decide(field, tokenCount, place.maxNewTokens());
    book(place, decision);
    final Placement placement = placement(decision, overlaps);
    log(place, placement);
    final var placed = new PlacementAnswer.Placed(place.id(), place.attempt(), placement);
    if (placement.sources().isEmpty() || cacheIsSilent) asked.answer(placed);
    else askCache(placed, overlaps.hashes(decision.decode().description()));
  }

  private void log(Place place, Placement placement) {
    final Logger log = getContext().getLog();
    final String slot = placement.worker().slot();
    log.info(
        "Placed [{}], attempt {}, at {}, {}",
        place.id(),
        place.attempt(),
        slot,
        placement.reason());
    if (!place.numerics().isEmpty() && !place.numerics().equals(placement.numerics())) {
      log.warn(
          "[{}] goes on at [{}], which computes other bits: {} after {}",
          place.id(),
          slot,
          placement.numerics(),
          place.numerics());
    }
    log.debug("Placement of [{}]: {}", place.id(), placement);
  }

  /** The index knows that another place has more; the directory knows all places and tiers. */
  private void askCache(PlacementAnswer.Placed placed, List<BlockHash> hashes) {
    getContext()
        .ask(
            CacheCommand.Located.class,
            cache,
            settings.locateTimeout(),
            (ActorRef<CacheCommand.Located> answer) -> new CacheCommand.Locate(hashes, answer),
            (located, timeout) -> new SourcesFound(placed, located));
  }

  private void sourcesFound(PlacementAnswer.Placed placed, CacheCommand.Located located) {
    if (located == null) {
      cacheIsSilent = true;
      timers.startSingleTimer(new AskCacheAgain(), SILENT_CACHE_PAUSE);
      asked.answer(placed);
    } else {
      final Placement placement = placed.placement().withSources(located.sources());
      asked.answer(new PlacementAnswer.Placed(placed.id(), placed.attempt(), placement));
    }
  }

  private void book(Place place, CostModel.Decision decision) {
    final CostModel.Option decode = decision.decode();
    book.book(
        new LoadBook.Booking(
            place.id(),
            place.attempt(),
            decode.id(),
            decision.prefill().id(),
            decision.prefillTokens(),
            costs.expectedBlocks(
                decode.description(), place.tokens().length, place.maxNewTokens())));
    remember(place);
    if (decision.prefillers().isEmpty()) placedLocal++;
    else if (decision.pull()) placedPull++;
    else placedRemote++;
  }

  private Placement placement(CostModel.Decision decision, Overlaps overlaps) {
    final CostModel.Option decode = decision.decode();
    final var candidates = decision.candidates();
    return new Placement(
        decode.id(),
        decode.description().fingerprint(),
        workers.get(decode.id()).up().decode(),
        decode.overlapBlocks(),
        prefillPlan(decision),
        overlaps.beyond(decode.description(), settings.pullMinBlocks()),
        candidates.subList(0, Math.min(settings.candidatesMax(), candidates.size())),
        decision.reason());
  }

  private Placement.PrefillPlan prefillPlan(CostModel.Decision decision) {
    if (decision.prefillers().isEmpty()) return null;
    final List<Placement.Prefiller> prefillers =
        decision.prefillers().stream()
            .limit(settings.candidatesMax())
            .map(option -> workers.get(option.id()).up())
            .map(up ->
                new Placement.Prefiller(
                    up.description().id(), decision.pull() ? up.lender() : up.prefill()))
            .toList();
    return new Placement.PrefillPlan(
        prefillers.getFirst(), decision.pull(), prefillers.subList(1, prefillers.size()));
  }

  private void ended(RequestId id, int attempt) {
    final Place place = asked.get(id);
    if (place == null || place.attempt() > attempt) return;
    if (pending.remove(id)) timers.cancel(id);
    book.ended(id, attempt);
    forget(id);
  }

  private void refuse(Place place, Cause cause, String limit, long value, long max) {
    refused++;
    place
        .replyTo()
        .tell(
            new PlacementAnswer.NotPlaced(
                place.id(), place.attempt(), cause, limit, value, max, settings.retryAfter()));
  }

  /** What is over without our knowing, or what a lost word has left as it was, comes out. */
  private void checkBookings() {
    asked
        .bySessions()
        .forEach((sessions, bookings) ->
            Parts.of(bookings, settings.checkBookings())
                .forEach(part -> sessions.tell(new BookingCheck(part))));
  }

  private List<CostModel.Option> options(List<KnownWorker> known, Overlaps overlaps) {
    return known.stream().map(worker -> worker.option(overlaps, book)).toList();
  }

  /** A session node is gone, a worker, or the actor of one of its roles. */
  private Behavior<Command> onTerminated(Terminated signal) {
    final ActorRef<?> ref = signal.getRef();
    watched.gone(ref);
    for (Place place : asked.of(ref)) ended(place.id(), place.attempt());
    for (KnownWorker known : workers.all()) {
      if (known.hasActor(ref)) known.up().worker().tell(new WorkerCommand.Introduce(self()));
      if (!known.up().worker().equals(ref)) continue;
      final WorkerId id = known.id();
      workers.remove(id);
      index.forget(id);
      book.forget(id).forEach(this::forget);
      getContext().getLog().info("Worker [{}] is gone", id);
    }
    publishStats();
    return this;
  }

  private void publishStats() {
    if (settled) rebuild.look(workers.ids(), index::waitsForDump);
    onStats.accept(
        new RouterStats(
            workers.count(),
            pending.size(),
            book.size(),
            index.pairs(),
            placedLocal,
            placedRemote,
            placedPull,
            refused,
            gaps,
            rebuild.ns()));
  }
}
