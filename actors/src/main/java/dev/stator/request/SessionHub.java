package dev.stator.request;

import dev.stator.engine.RequestId;
import dev.stator.protocol.BookingCheck;
import dev.stator.protocol.DecodeCommand;
import dev.stator.protocol.PlannerCommand;
import dev.stator.protocol.RouterCommand;
import dev.stator.protocol.WorkerAnswer;
import dev.stator.request.GenerationEvent.Failed;
import dev.stator.request.GenerationEvent.Failed.Kind;
import dev.stator.worker.SessionStats;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.pekko.Done;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * The node's sessions: opens one a call, hands each its part of the workers' batches, and refuses
 * calls at the door.
 *
 * <pre>
 *   OPEN ── Close, Drain ──▶ DRAINING ── last session ends ──▶ answered
 * </pre>
 *
 * A worker sends one message a step to this actor, however many sessions of the node it serves.
 */
public final class SessionHub extends AbstractBehavior<SessionHub.Command> {
  /** To the hub; all of it within one node. */
  public sealed interface Command {}

  /** Starts a session; {@code client} gets {@link GenerationSource.Opened} or a failure. */
  record Open(GenerationCall call, ActorRef<Object> client) implements Command {}

  /** Refuses new calls as unavailable. */
  public record Close() implements Command {}

  /** As {@link Close}; answers when no session is left. */
  public record Drain(ActorRef<Done> replyTo) implements Command {}

  /** Ends all sessions as unavailable, and refuses new ones. */
  public record Abort(String message) implements Command {}

  /** What runs at this node moves; nothing starts there. */
  public record NodeUnreachable(Address node) implements Command {}

  /** The node is back, or gone for good. */
  public record NodeReachable(Address node) implements Command {}

  private record FromWorker(WorkerAnswer answer) implements Command {}

  private record FromRouter(BookingCheck check) implements Command {}

  private record SessionEnded(String requestId, String callName) implements Command {}

  private record SessionOver(GenerationSession.Ending ending, int moves) implements Command {}

  private record ReportTraffic() implements Command {} // Our own timer's message.

  /** Who hears of the traffic, how often, and by which clock. */
  public record Reporting(
      ActorRef<PlannerCommand> planner, Duration interval, LongSupplier nanoClock) {}

  /**
   * @param hubId called at each start: unlike that of any other hub of the cluster and of any
   *     earlier life, part of the names under which its sequences run
   * @param onStats gets the figures whenever they change; called on the hub's thread
   */
  public static Behavior<Command> create(
      Supplier<String> hubId,
      ServedModel model,
      ActorRef<RouterCommand> router,
      SessionSettings settings,
      Consumer<SessionStats> onStats,
      Reporting reporting) {
    return Behaviors.setup(context ->
        Behaviors.withTimers(timers ->
            new SessionHub(
                context, timers, hubId.get(), model, router, settings, onStats, reporting)));
  }

  private final String hubId;
  private final Reporting reporting;
  private final TrafficMeter traffic = new TrafficMeter();
  private final ServedModel model;
  private final SessionSettings settings;
  private final Consumer<SessionStats> onStats;
  private final CallRules rules;
  private final GenerationSession.Surroundings surroundings;
  private final Map<String, ActorRef<SessionMessage>> sessions = new HashMap<>(); // By call name.
  private final Set<String> requestIds = new HashSet<>(); // Of the sessions.
  private final Reachability nodes = new Reachability();
  private ActorRef<Done> drainer;
  private boolean draining;
  private long started;
  private long refused;
  private long completed;
  private long cancelled;
  private long failed;
  private long moves;

  private SessionHub(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      String hubId,
      ServedModel model,
      ActorRef<RouterCommand> router,
      SessionSettings settings,
      Consumer<SessionStats> onStats,
      Reporting reporting) {
    super(context);
    this.hubId = hubId;
    this.reporting = reporting;
    this.model = model;
    this.settings = settings;
    this.onStats = onStats;
    this.rules = new CallRules(model, settings);
    final ActorRef<Command> self = context.getSelf();
    this.surroundings =
        new GenerationSession.Surroundings(
            model.tokenizer(),
            router,
            context.messageAdapter(WorkerAnswer.class, FromWorker::new),
            context.messageAdapter(BookingCheck.class, FromRouter::new),
            nodes,
            settings,
            (ending, moved) -> self.tell(new SessionOver(ending, moved)));
    timers.startTimerWithFixedDelay(new ReportTraffic(), reporting.interval());
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder().onAnyMessage(this::onMessage).build();
  }

  private Behavior<Command> onMessage(Command command) {
    switch (command) {
      case Open(var call, var client) -> open(call, client);
      case FromWorker(WorkerAnswer.TokenBatch(var worker, var sequences)) -> {
        final long nowNs = reporting.nanoClock().getAsLong();
        for (WorkerAnswer.SequenceTokens sequence : sequences) {
          measure(sequence, nowNs);
          tell(sequence.id(), new SessionMessage.Tokens(worker, sequence));
        }
        return this; // No figure has changed.
      }
      case FromWorker(WorkerAnswer.Refused refusal) ->
          tell(refusal.id(), new SessionMessage.Refused(refusal));
      case FromWorker(WorkerAnswer.Lost loss) -> tell(loss.id(), new SessionMessage.Lost(loss));
      case FromWorker(WorkerAnswer.Running running) -> {
        running(running);
        return this;
      }
      case FromRouter(BookingCheck(var bookings)) -> {
        bookings.forEach(this::check);
        return this;
      }
      case NodeUnreachable(var node) -> {
        nodes.lost(node);
        sessions
            .values()
            .forEach(session -> session.tell(new SessionMessage.NodeUnreachable(node)));
      }
      case NodeReachable(var node) -> nodes.found(node);
      case SessionOver(var ending, var moved) -> count(ending, moved);
      case SessionEnded(var requestId, var callName) -> {
        requestIds.remove(requestId);
        sessions.remove(callName);
        traffic.ended(callName);
        answerDrainer();
      }
      case Close() -> draining = true;
      case Drain(var replyTo) -> {
        draining = true;
        drainer = replyTo;
        answerDrainer();
      }
      case ReportTraffic() -> {
        reporting.planner().tell(traffic.report(name()));
        return this; // No figure has changed.
      }
      case Abort(var message) -> {
        draining = true;
        sessions.values().forEach(session -> session.tell(new SessionMessage.Abort(message)));
      }
    }
    publishStats();
    return this;
  }

  private void open(GenerationCall call, ActorRef<Object> client) {
    final Failed refusal = refusal(call);
    if (refusal != null) {
      refused++;
      client.tell(refusal);
      return;
    }
    // A client may use its id again, or at two nodes at once.
    final String callName = call.requestId() + "#" + hubId + "." + started;
    started++;
    final ActorRef<SessionMessage> session =
        getContext().spawnAnonymous(GenerationSession.create(callName, call, client, surroundings));
    client.tell(new GenerationSource.Opened(session)); // Also when its start fails: it is watched.
    requestIds.add(call.requestId());
    sessions.put(callName, session);
    traffic.started(
        callName,
        call.promptTokens().length,
        call.choiceCount(),
        reporting.nanoClock().getAsLong());
    getContext().watchWith(session, new SessionEnded(call.requestId(), callName));
  }

  private Failed refusal(GenerationCall call) {
    final Duration retryAfter = settings.retryAfter();
    if (draining) return new Failed(Kind.UNAVAILABLE, "the server is shutting down", retryAfter);
    if (!call.model().equals(model.name())) {
      return new Failed(Kind.UNKNOWN_MODEL, "there is no model " + call.model(), null);
    }
    final String trouble = rules.trouble(call);
    if (trouble != null) return new Failed(Kind.INVALID, trouble, null);
    if (requestIds.contains(call.requestId())) {
      return new Failed(
          Kind.INVALID, "request id " + call.requestId() + " is in use already", null);
    }
    if (sessions.size() >= settings.sessionsMax()) {
      return new Failed(
          Kind.OVERLOADED,
          "the limit session.sessions-max is %d".formatted(settings.sessionsMax()),
          retryAfter);
    }
    return null;
  }

  private void measure(WorkerAnswer.SequenceTokens sequence, long nowNs) {
    final String id = sequence.id().value();
    final int slash = id.lastIndexOf('/');
    final int choice = Integer.parseInt(id, slash + 1, id.length(), 10);
    traffic.tokens(id.substring(0, slash), choice, sequence.tokens().size(), nowNs);
  }

  /** Differs from that of every other hub's life, on every node. */
  private String name() {
    return getContext()
        .getSelf()
        .path()
        .toSerializationFormatWithAddress(getContext().getSystem().address());
  }

  private boolean tell(RequestId choiceId, SessionMessage message) {
    final String id = choiceId.value();
    final ActorRef<SessionMessage> session = sessions.get(id.substring(0, id.lastIndexOf('/')));
    if (session != null) session.tell(message);
    return session != null;
  }

  private void running(WorkerAnswer.Running running) {
    for (WorkerAnswer.RunningSequence sequence : running.sequences()) {
      final var message = new SessionMessage.Running(running.worker(), running.decode(), sequence);
      if (tell(sequence.id(), message)) continue;
      running.decode().tell(new DecodeCommand.Cancel(sequence.id(), sequence.attempt()));
    }
  }

  private void check(BookingCheck.Booked booking) {
    if (tell(booking.id(), new SessionMessage.Booked(booking))) return;
    surroundings.router().tell(new RouterCommand.Ended(booking.id(), booking.attempt()));
  }

  private void count(GenerationSession.Ending ending, int moved) {
    moves += moved;
    switch (ending) {
      case COMPLETED -> completed++;
      case CANCELLED -> cancelled++;
      case FAILED -> failed++;
    }
  }

  private void answerDrainer() {
    if (drainer == null || !sessions.isEmpty()) return;
    drainer.tell(Done.getInstance());
    drainer = null;
  }

  private void publishStats() {
    onStats.accept(
        new SessionStats(sessions.size(), started, refused, completed, cancelled, failed, moves));
  }
}
