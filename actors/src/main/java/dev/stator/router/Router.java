package dev.stator.router;

import dev.stator.engine.RequestId;
import dev.stator.kv.BlockHash;
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
import dev.stator.worker.RouterStats;
import dev.stator.worker.Watched;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

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
 * is asked to introduce itself, then for a dump of its blocks.
 */
public final class Router extends AbstractBehavior<Router.Command> {
  /** What comes in; the outside speaks {@link RouterCommand}. */
  sealed interface Command {}

  private record Received(RouterCommand command) implements Command {}

  private record PendingExpired(RequestId id, int attempt) implements Command {} // Our timer's.

  private record SourcesFound(
      ActorRef<PlacementAnswer> replyTo,
      PlacementAnswer.Placed placed,
      CacheCommand.Located located)
      implements Command {}

  /**
   * @param onStats gets the figures whenever they change; called on the router's thread
   */
  public static Behavior<RouterCommand> create(
      RouterSettings settings,
      ActorRef<CacheCommand> cache,
      RandomGenerator random,
      Consumer<RouterStats> onStats) {
    final Behavior<Command> inner =
        Behaviors.setup(context ->
            Behaviors.withTimers(
                timers -> new Router(context, timers, settings, cache, random, onStats)));
    return Behaviors.transformMessages(
        RouterCommand.class, inner, builder -> builder.match(RouterCommand.class, Received::new));
  }

  private final TimerScheduler<Command> timers;
  private final RouterSettings settings;
  private final ActorRef<CacheCommand> cache;
  private final Consumer<RouterStats> onStats;
  private final CostModel costs;
  private final PrefixIndex index = new PrefixIndex();
  private final LoadBook book = new LoadBook();
  private final Map<WorkerId, KnownWorker> workers = new LinkedHashMap<>();
  private final Map<RequestId, Place> pending = new LinkedHashMap<>();
  private final Map<RequestId, ActorRef<PlacementAnswer>> askers = new HashMap<>();
  private final Watched watched;
  private long placedLocal;
  private long placedRemote;
  private long refused;
  private long gaps;

  private Router(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      RouterSettings settings,
      ActorRef<CacheCommand> cache,
      RandomGenerator random,
      Consumer<RouterStats> onStats) {
    super(context);
    this.timers = timers;
    this.settings = settings;
    this.cache = cache;
    this.onStats = onStats;
    this.costs = new CostModel(settings, random);
    this.watched = new Watched(context);
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
        final Place place = pending.get(id);
        if (place != null && place.attempt() == attempt) {
          pending.remove(id);
          refuse(place, Cause.UNAVAILABLE, "router.decode-workers", 1, 0);
        }
      }
      case SourcesFound(var replyTo, var placed, var located) ->
          replyTo.tell(withSources(placed, located.sources()));
    }
    publishStats();
    return this;
  }

  private void onReceived(RouterCommand command) {
    switch (command) {
      case Place place -> place(place);
      case RouterCommand.PrefillFinished(var id, var attempt) -> book.prefillFinished(id, attempt);
      case RouterCommand.Ended(var id, var attempt) -> ended(id, attempt);
      case WorkerUp up -> workerUp(up);
      case WorkerReport report -> workerReport(report);
      case KvBatch batch -> {
        if (index.apply(batch.id(), batch.firstSequence(), batch.events())
            == PrefixIndex.Outcome.GAP) {
          gaps++;
          askForDump(batch.worker());
        }
      }
      case KvDumpPart part ->
          index.applyDump(
              part.id(), part.nextSequence(), part.partIndex(), part.last(), part.blocks());
    }
  }

  private void workerUp(WorkerUp up) {
    final WorkerId id = up.description().id();
    final KnownWorker known = workers.get(id);
    if (known != null) {
      known.introduced(up);
      placePending();
      return;
    }
    workers.put(id, new KnownWorker(up));
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
    if (index.waitsForDump(report.id())) askForDump(report.worker());
    placePending();
  }

  private void askForDump(ActorRef<WorkerCommand> worker) {
    worker.tell(new WorkerCommand.DumpKv(self()));
  }

  private ActorRef<RouterCommand> self() {
    return getContext().getSelf().unsafeUpcast(); // Transformed back on arrival, see create.
  }

  private void place(Place place) {
    ended(place.id(), place.attempt() - 1);
    if (book.size() >= settings.inFlightMax()) {
      refuse(
          place, Cause.OVERLOADED, "router.in-flight-max", book.size() + 1, settings.inFlightMax());
      return;
    }
    final List<KnownWorker> decoders = workersWith(WorkerRole.DECODE);
    if (decoders.isEmpty()) {
      makePending(place);
      return;
    }
    final List<KnownWorker> willing =
        decoders.stream().filter(known -> !place.avoid().contains(known.id())).toList();
    if (willing.isEmpty()) {
      final int asked = place.avoid().size();
      refuse(place, Cause.OVERLOADED, "router.decode-workers", asked + 1, decoders.size());
      return;
    }
    answer(place, willing);
  }

  private void makePending(Place place) {
    if (pending.size() >= settings.pendingMax() && !pending.containsKey(place.id())) {
      refuse(
          place, Cause.OVERLOADED, "router.pending-max", pending.size() + 1, settings.pendingMax());
      return;
    }
    pending.put(place.id(), place);
    remember(place);
    timers.startSingleTimer(
        place.id(), new PendingExpired(place.id(), place.attempt()), settings.pendingTimeout());
  }

  private void placePending() {
    if (pending.isEmpty() || workersWith(WorkerRole.DECODE).isEmpty()) return;
    final List<Place> waiting = List.copyOf(pending.values());
    for (Place place : waiting) {
      dropPending(place.id());
      place(place);
    }
  }

  private void dropPending(RequestId id) {
    if (pending.remove(id) == null) return;
    timers.cancel(id);
    forgetAsker(id);
  }

  private void remember(Place place) {
    forgetAsker(place.id());
    askers.put(place.id(), place.replyTo());
    watched.add(place.replyTo());
  }

  private void forgetAsker(RequestId id) {
    final ActorRef<PlacementAnswer> asker = askers.remove(id);
    if (asker != null) watched.remove(asker);
  }

  private void answer(Place place, List<KnownWorker> decoders) {
    final int tokenCount = place.tokens().length;
    final Overlaps overlaps = new Overlaps(place, index);
    final List<CostModel.Option> options = options(decoders, overlaps);
    final List<CostModel.Option> prefillers =
        options(
            workersWith(WorkerRole.PREFILL).stream()
                .filter(known -> !known.has(WorkerRole.DECODE))
                .toList(),
            overlaps);
    final CostModel.Decision decision =
        costs.decide(options, prefillers, tokenCount, place.maxNewTokens());
    book(place, decision);
    final Placement placement = placement(decision, overlaps);
    getContext()
        .getLog()
        .debug("Placed [{}], attempt {}: {}", place.id(), place.attempt(), placement);
    final var placed = new PlacementAnswer.Placed(place.id(), place.attempt(), placement);
    final List<BlockHash> hashes = overlaps.hashes(decision.decode().description());
    if (placement.sources().isEmpty()) place.replyTo().tell(placed);
    else askCache(place.replyTo(), placed, hashes);
  }

  /** The index knows that another place has more; the directory knows all places and tiers. */
  private void askCache(
      ActorRef<PlacementAnswer> replyTo, PlacementAnswer.Placed placed, List<BlockHash> hashes) {
    getContext()
        .ask(
            CacheCommand.Located.class,
            cache,
            settings.locateTimeout(),
            (ActorRef<CacheCommand.Located> answer) -> new CacheCommand.Locate(hashes, answer),
            (located, timeout) ->
                new SourcesFound(
                    replyTo,
                    placed,
                    located != null
                        ? located
                        : new CacheCommand.Located(placed.placement().sources())));
  }

  private static PlacementAnswer.Placed withSources(
      PlacementAnswer.Placed placed, List<Placement.BlockSource> sources) {
    final Placement old = placed.placement();
    final List<Placement.BlockSource> elsewhere =
        sources.stream()
            .filter(source -> source.blockCount() > old.overlapBlocks())
            .filter(source -> !source.worker().equals(old.worker()))
            .toList();
    return new PlacementAnswer.Placed(
        placed.id(),
        placed.attempt(),
        new Placement(
            old.worker(),
            old.decode(),
            old.overlapBlocks(),
            old.prefill(),
            elsewhere,
            old.candidates(),
            old.reason()));
  }

  private void book(Place place, CostModel.Decision decision) {
    final CostModel.Option decode = decision.decode();
    final CostModel.Option prefill = decision.prefill() == null ? decode : decision.prefill();
    book.book(
        new LoadBook.Booking(
            place.id(),
            place.attempt(),
            decode.id(),
            prefill.id(),
            prefill.uncachedTokens(place.tokens().length),
            costs.expectedBlocks(
                decode.description(), place.tokens().length, place.maxNewTokens())));
    remember(place);
    if (decision.prefill() == null) placedLocal++;
    else placedRemote++;
  }

  private Placement placement(CostModel.Decision decision, Overlaps overlaps) {
    final CostModel.Option decode = decision.decode();
    final WorkerUp up = workers.get(decode.id()).up();
    Placement.PrefillPlan plan = null;
    if (decision.prefill() != null) {
      final WorkerUp prefill = workers.get(decision.prefill().id()).up();
      plan = new Placement.PrefillPlan(decision.prefill().id(), prefill.prefill());
    }
    final var candidates = decision.candidates();
    return new Placement(
        decode.id(),
        up.decode(),
        decode.overlapBlocks(),
        plan,
        overlaps.beyond(decode.description(), settings.pullMinBlocks()),
        candidates.subList(0, Math.min(settings.candidatesMax(), candidates.size())),
        decision.reason());
  }

  private void ended(RequestId id, int attempt) {
    final Place waiting = pending.get(id);
    if (waiting != null && waiting.attempt() <= attempt) dropPending(id);
    book.ended(id, attempt);
    if (!book.contains(id) && !pending.containsKey(id)) forgetAsker(id);
  }

  private void refuse(Place place, Cause cause, String limit, long value, long max) {
    refused++;
    forgetAsker(place.id());
    place
        .replyTo()
        .tell(
            new PlacementAnswer.NotPlaced(
                place.id(), place.attempt(), cause, limit, value, max, settings.retryAfter()));
  }

  private List<KnownWorker> workersWith(WorkerRole role) {
    final List<KnownWorker> found = new ArrayList<>();
    for (KnownWorker known : workers.values()) if (known.has(role)) found.add(known);
    return found;
  }

  private List<CostModel.Option> options(List<KnownWorker> known, Overlaps overlaps) {
    return known.stream().map(worker -> worker.option(overlaps, book)).toList();
  }

  /** A session has ended without a word, or a worker has. */
  private Behavior<Command> onTerminated(Terminated signal) {
    final ActorRef<?> ref = signal.getRef();
    watched.gone(ref);
    for (Map.Entry<RequestId, ActorRef<PlacementAnswer>> asker : List.copyOf(askers.entrySet())) {
      if (asker.getValue().equals(ref)) ended(asker.getKey(), Integer.MAX_VALUE);
    }
    for (KnownWorker known : List.copyOf(workers.values())) {
      if (!known.up().worker().equals(ref)) continue;
      final WorkerId id = known.id();
      workers.remove(id);
      index.forget(id);
      book.forget(id);
      getContext().getLog().info("Worker [{}] is gone", id);
    }
    publishStats();
    return this;
  }

  private void publishStats() {
    onStats.accept(
        new RouterStats(
            workers.size(),
            pending.size(),
            book.size(),
            index.pairs(),
            placedLocal,
            placedRemote,
            refused,
            gaps));
  }
}
