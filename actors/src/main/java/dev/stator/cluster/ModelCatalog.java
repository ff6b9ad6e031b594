package dev.stator.cluster;

import dev.stator.cluster.CardMessage.Described;
import dev.stator.request.ServedModel;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.actor.typed.receptionist.Receptionist;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.SelfUp;
import org.apache.pekko.cluster.typed.Subscribe;

/**
 * What the cluster serves, as a frontend learns it from the nodes that host models.
 *
 * <pre>
 *   host appears ──Describe──▶ Described ── model unknown? ──Fetch*──▶ card whole ── read ──▶ ModelKnown
 *   last host gone ── model-linger ──▶ ModelForgotten
 *   joined ── all worker nodes described, their cards read │ models-timeout ──▶ CaughtUp
 * </pre>
 *
 * One card is fetched at a time; a host that falls silent is asked again after all others.
 */
final class ModelCatalog extends AbstractBehavior<ModelCatalog.Command> {
  /** To the catalog; all our own. */
  sealed interface Command {}

  private record Hosts(Set<ActorRef<CardMessage.Question>> hosts) implements Command {}

  private record FromHost(CardMessage.Answer answer) implements Command {}

  private record CardRead(Described card, ServedModel model, Throwable failure)
      implements Command {}

  private record Joined() implements Command {}

  private record Check() implements Command {} // Our own timers', as the next one.

  private record Overdue() implements Command {}

  /** From the catalog. */
  sealed interface Event {}

  record ModelKnown(ServedModel model) implements Event {}

  record ModelForgotten(String name) implements Event {}

  /** The models are known of all nodes that were there when this one had joined; comes once. */
  record CaughtUp() implements Event {}

  /**
   * @param own the model of this node, known from the start and for good
   * @param reader makes a model from a card; runs on a thread of its own
   * @param listener hears {@link Event}s
   */
  record Parts(
      ClusterSettings settings,
      Optional<HostedModel> own,
      Function<byte[], ServedModel> reader,
      LongSupplier nanoClock,
      ActorRef<Event> listener) {}

  private record Known(String digest, long hostSeenNs) {}

  static Behavior<Command> create(Parts parts) {
    return Behaviors.setup(
        context -> Behaviors.withTimers(timers -> new ModelCatalog(context, timers, parts)));
  }

  private final Parts parts;
  private final TimerScheduler<Command> timers;
  private final Cluster cluster;
  private final ActorRef<CardMessage.Answer> fromHosts;
  private final Map<ActorRef<CardMessage.Question>, Described> hosts = new LinkedHashMap<>();
  private final Map<String, Known> known = new HashMap<>();
  private final Set<String> unreadable = new HashSet<>(); // Digests of cards that cannot be used.
  private Fetching fetching; // Null while none is; also while a fetched card is being read.
  private boolean reading;
  private boolean joined;
  private boolean caughtUp;

  private ModelCatalog(ActorContext<Command> context, TimerScheduler<Command> timers, Parts parts) {
    super(context);
    context.setLoggerName(ModelCatalog.class);
    this.parts = parts;
    this.timers = timers;
    this.cluster = Cluster.get(context.getSystem());
    this.fromHosts = context.messageAdapter(CardMessage.Answer.class, FromHost::new);
    parts
        .own()
        .ifPresent(hosted -> {
          final String digest = CardHost.digest(hosted.card());
          known.put(hosted.served().name(), new Known(digest, parts.nanoClock().getAsLong()));
          parts.listener().tell(new ModelKnown(hosted.served()));
        });
    final ActorRef<Receptionist.Listing> listings =
        context.messageAdapter(
            Receptionist.Listing.class,
            listing -> new Hosts(listing.getServiceInstances(CardHost.KEY)));
    context.getSystem().receptionist().tell(Receptionist.subscribe(CardHost.KEY, listings));
    timers.startTimerWithFixedDelay(new Check(), parts.settings().cardTimeout());
    final var up = context.messageAdapter(SelfUp.class, event -> new Joined());
    cluster.subscriptions().tell(Subscribe.create(up, SelfUp.class));
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder().onAnyMessage(this::onMessage).build();
  }

  private Behavior<Command> onMessage(Command command) {
    switch (command) {
      case Hosts(var found) -> hosts(found);
      case FromHost(Described described) -> described(described);
      case FromHost(CardMessage.Part part) -> part(part);
      case CardRead(var card, var model, var failure) -> cardRead(card, model, failure);
      case Joined() -> {
        joined = true;
        timers.startSingleTimer(new Overdue(), parts.settings().modelsTimeout());
      }
      case Check() -> check();
      case Overdue() -> overdue();
    }
    fetchNext();
    if (joined && !caughtUp && fetching == null && !reading && awaited().isEmpty()) catchUp();
    return this;
  }

  private void catchUp() {
    caughtUp = true;
    parts.listener().tell(new CaughtUp());
  }

  /** The nodes whose models we cannot know yet; of a node that does not answer we never may. */
  private List<String> awaited() {
    final Set<Address> described = new HashSet<>();
    hosts.forEach((host, card) -> {
      if (card != null) described.add(host.path().address());
    });
    final var state = cluster.state();
    return Members.all(state)
        .filter(member -> member.status().equals(MemberStatus.up()))
        .filter(member -> member.hasRole(Members.WORKER))
        .filter(member -> !state.getUnreachable().contains(member))
        .filter(member -> !member.uniqueAddress().equals(cluster.selfMember().uniqueAddress()))
        .filter(member -> !described.contains(member.address()))
        .map(Members::nameOf)
        .toList();
  }

  private void overdue() {
    if (caughtUp) return;
    getContext()
        .getLog()
        .warn(
            "Serving without knowing all models of the cluster: nothing from {} within"
                + " cluster.models-timeout",
            awaited());
    catchUp();
  }

  private void hosts(Set<ActorRef<CardMessage.Question>> found) {
    hosts.keySet().retainAll(found);
    if (fetching != null && !found.contains(fetching.card.host())) fetching = null;
    for (ActorRef<CardMessage.Question> host : found) {
      if (!hosts.containsKey(host)) host.tell(new CardMessage.Describe(fromHosts));
      hosts.putIfAbsent(host, null);
    }
  }

  private void described(Described described) {
    if (!hosts.containsKey(described.host()) || hosts.get(described.host()) != null) return;
    hosts.put(described.host(), described);
    if (described.cardBytes() <= 0 || described.cardBytes() > parts.settings().cardBytesMax()) {
      unusable(described, "it has " + described.cardBytes() + " bytes, see cluster.card-bytes-max");
      return;
    }
    final Known served = known.get(described.model());
    if (served != null && !served.digest().equals(described.digest())) {
      getContext()
          .getLog()
          .warn(
              "[{}] hosts another [{}] than is served here: the model's files differ",
              described.node(),
              described.model());
    }
  }

  private void fetchNext() {
    if (fetching != null || reading) return;
    for (Described card : hosts.values()) {
      if (card == null || known.containsKey(card.model()) || unreadable.contains(card.digest())) {
        continue;
      }
      if (known.size() >= parts.settings().modelsMax()) return;
      fetching = new Fetching(card);
      fetching.askOn();
      return;
    }
  }

  private void part(CardMessage.Part part) {
    if (fetching == null || !fetching.accept(part)) return;
    if (!fetching.isWhole()) {
      fetching.askOn();
      return;
    }
    final Described card = fetching.card;
    final byte[] bytes = fetching.bytes;
    fetching = null;
    if (!CardHost.digest(bytes).equals(card.digest())) {
      unusable(card, "its checksum is wrong");
      return;
    }
    reading = true;
    final Executor threads =
        getContext().getSystem().dispatchers().lookup(DispatcherSelector.blocking());
    getContext()
        .pipeToSelf(
            CompletableFuture.supplyAsync(() -> parts.reader().apply(bytes), threads),
            (model, failure) -> new CardRead(card, model, failure));
  }

  private void cardRead(Described card, ServedModel model, Throwable failure) {
    reading = false;
    if (failure != null) {
      unusable(card, failure.toString());
    } else if (!model.name().equals(card.model())) {
      unusable(card, "it names " + model.name());
    } else {
      known.put(card.model(), new Known(card.digest(), parts.nanoClock().getAsLong()));
      getContext().getLog().info("Serving [{}], known from [{}]", card.model(), card.node());
      parts.listener().tell(new ModelKnown(model));
    }
  }

  private void unusable(Described card, String reason) {
    if (!unreadable.add(card.digest())) return;
    getContext()
        .getLog()
        .error("The card of [{}] from [{}] is unusable: {}", card.model(), card.node(), reason);
  }

  /** Asks the silent again, and forgets models that nobody hosts any more. */
  private void check() {
    hosts.forEach((host, card) -> {
      if (card == null) host.tell(new CardMessage.Describe(fromHosts));
    });
    if (fetching != null && fetching.isSilent()) {
      final Described silent = hosts.remove(fetching.card.host());
      hosts.put(silent.host(), silent); // Behind all others.
      fetching = null;
    }
    final long nowNs = parts.nanoClock().getAsLong();
    final Set<String> hosted = new HashSet<>();
    for (Described card : hosts.values()) if (card != null) hosted.add(card.model());
    parts.own().ifPresent(own -> hosted.add(own.served().name()));
    final Duration linger = parts.settings().modelLinger();
    known.replaceAll(
        (model, last) -> hosted.contains(model) ? new Known(last.digest(), nowNs) : last);
    known
        .entrySet()
        .removeIf(model -> {
          final boolean isOver = nowNs - model.getValue().hostSeenNs() > linger.toNanos();
          if (isOver) parts.listener().tell(new ModelForgotten(model.getKey()));
          return isOver;
        });
  }

  /** A card on its way. */
  private final class Fetching {
    final Described card;
    final byte[] bytes;
    private int offset;
    private int offsetAtCheck;

    Fetching(Described card) {
      this.card = card;
      this.bytes = new byte[card.cardBytes()];
      this.offsetAtCheck = -1;
    }

    void askOn() {
      final int length = Math.min(parts.settings().cardPartBytes(), bytes.length - offset);
      card.host().tell(new CardMessage.Fetch(card.digest(), offset, length, fromHosts));
    }

    boolean accept(CardMessage.Part part) {
      final boolean isNext =
          part.digest().equals(card.digest())
              && part.offset() == offset
              && part.bytes().length > 0
              && part.bytes().length <= bytes.length - offset;
      if (!isNext) return false;
      System.arraycopy(part.bytes(), 0, bytes, offset, part.bytes().length);
      offset += part.bytes().length;
      return true;
    }

    boolean isWhole() {
      return offset == bytes.length;
    }

    /** Whether nothing has come since the last check. */
    boolean isSilent() {
      final boolean silent = offset == offsetAtCheck;
      offsetAtCheck = offset;
      return silent;
    }
  }
}
