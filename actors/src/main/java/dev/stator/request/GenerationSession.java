package dev.stator.request;

import dev.stator.engine.FinishReason;
import dev.stator.model.text.Tokenizer;
import dev.stator.protocol.BookingCheck;
import dev.stator.protocol.DecodeCommand;
import dev.stator.protocol.Placement;
import dev.stator.protocol.PlacementAnswer;
import dev.stator.protocol.RouterCommand;
import dev.stator.protocol.WorkerAnswer;
import dev.stator.protocol.WorkerId;
import dev.stator.request.Choice.State;
import dev.stator.request.GenerationEvent.Completed;
import dev.stator.request.GenerationEvent.Failed;
import dev.stator.request.GenerationEvent.Failed.Kind;
import dev.stator.request.GenerationEvent.Usage;
import dev.stator.worker.Watched;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * One call from its first placement to its last event. Each {@link Choice} is placed, refused, lost
 * and moved on its own; the first one goes ahead, and the others follow when its first token shows
 * that the prompt's blocks are there to share.
 *
 * <pre>
 *   RUNNING ── all choices finished │ failed ──▶ EMPTYING ── last event read ──▶ (ends)
 *      └────────────── client gone ─────────────────┴──────────────────────────▶ (ends)
 * </pre>
 *
 * However it ends, no worker goes on with it. Spawned once a call by the session hub.
 */
final class GenerationSession extends AbstractBehavior<SessionMessage> {
  /** How a session ended, for the figures. */
  enum Ending {
    COMPLETED,
    CANCELLED,
    FAILED
  }

  /**
   * What a session works with.
   *
   * @param hub gets the workers' answers
   * @param hubChecks gets the router's questions
   * @param nodes known to be unreachable
   * @param onEnd called once, on the session's thread
   */
  record Surroundings(
      Tokenizer tokenizer,
      ActorRef<RouterCommand> router,
      ActorRef<WorkerAnswer> hub,
      ActorRef<BookingCheck> hubChecks,
      Reachability nodes,
      SessionSettings settings,
      OnEnd onEnd) {}

  /** Hears of a session's end. */
  @FunctionalInterface
  interface OnEnd {
    void ended(Ending ending, int moves);
  }

  /**
   * @param callName names the call among all that the hub has ever had
   */
  static Behavior<SessionMessage> create(
      String callName, GenerationCall call, ActorRef<Object> client, Surroundings surroundings) {
    return Behaviors.setup(context ->
        Behaviors.withTimers(timers ->
            new GenerationSession(context, timers, callName, call, client, surroundings)));
  }

  private final TimerScheduler<SessionMessage> timers;
  private final GenerationCall call;
  private final ActorRef<Object> client;
  private final Surroundings surroundings;
  private final ActorRef<PlacementAnswer> fromRouter;
  private final List<Choice> choices = new ArrayList<>();
  private final Outbox outbox;
  private final Watched watched;
  private boolean clientWaits;
  private int cachedTokens;
  private Ending ending = Ending.CANCELLED; // Unless it comes to another.

  private GenerationSession(
      ActorContext<SessionMessage> context,
      TimerScheduler<SessionMessage> timers,
      String callName,
      GenerationCall call,
      ActorRef<Object> client,
      Surroundings surroundings) {
    super(context);
    context.setLoggerName(GenerationSession.class);
    this.timers = timers;
    this.call = call;
    this.client = client;
    this.surroundings = surroundings;
    this.fromRouter = context.messageAdapter(PlacementAnswer.class, SessionMessage.FromRouter::new);
    this.outbox = new Outbox(call.choiceCount());
    this.watched = new Watched(context);
    for (int i = 0; i < call.choiceCount(); i++) {
      choices.add(new Choice(callName, call, i, surroundings.tokenizer()));
    }
    context.watch(client);
    timers.startTimerWithFixedDelay(
        new SessionMessage.LookAfter(), surroundings.settings().checkInterval());
    place(choices.getFirst());
  }

  @Override
  public Receive<SessionMessage> createReceive() {
    return newReceiveBuilder()
        .onAnyMessage(this::onMessage)
        .onSignal(Terminated.class, this::onTerminated)
        .onSignal(PostStop.class, signal -> onStop())
        .build();
  }

  private Behavior<SessionMessage> onMessage(SessionMessage message) {
    switch (message) {
      case SessionMessage.Demand() -> clientWaits = true;
      case SessionMessage.Cancel() -> {
        return Behaviors.stopped();
      }
      case SessionMessage.Abort(var reason) ->
          fail(Kind.UNAVAILABLE, reason, surroundings.settings().retryAfter());
      case SessionMessage.Tokens tokens -> tokens(tokens);
      case SessionMessage.Refused(var refusal) -> refused(refusal);
      case SessionMessage.Lost(var loss) -> lost(loss);
      case SessionMessage.Running running -> running(running);
      case SessionMessage.Booked(var booking) -> answerCheck(booking);
      case SessionMessage.NodeUnreachable(var node) -> nodeUnreachable(node);
      case SessionMessage.PatienceOver(var choiceIndex) -> patienceOver(choices.get(choiceIndex));
      case SessionMessage.LookAfter() -> choices.forEach(this::lookAfter);
      case SessionMessage.FromRouter(PlacementAnswer.Placed placed) -> placed(placed);
      case SessionMessage.FromRouter(PlacementAnswer.NotPlaced notPlaced) -> notPlaced(notPlaced);
      case SessionMessage.TryAgain(var choiceIndex, var attempt) ->
          tryAgain(choices.get(choiceIndex), attempt);
    }
    return deliver();
  }

  /** Hands over what the client can take; ends behind the last event. */
  private Behavior<SessionMessage> deliver() {
    if (clientWaits) {
      final GenerationEvent event = outbox.poll();
      if (event != null) {
        clientWaits = false;
        client.tell(event);
      }
    }
    return outbox.isDone() ? Behaviors.stopped() : this;
  }

  private void place(Choice choice) {
    choice.startPlacing();
    final var patienceOver = new SessionMessage.PatienceOver(choice.index());
    if (!timers.isTimerActive(patienceOver)) {
      final Duration patience = surroundings.settings().placePatience();
      timers.startSingleTimer(patienceOver, patienceOver, patience);
    }
    askRouter(choice);
  }

  private void askRouter(Choice choice) {
    surroundings.router().tell(choice.question(fromRouter, surroundings.hubChecks()));
    tryAgainAfter(choice, surroundings.settings().placeInterval());
  }

  private void tryAgainAfter(Choice choice, Duration delay) {
    final var tryAgain = new SessionMessage.TryAgain(choice.index(), choice.attempt());
    timers.startSingleTimer(choice.id(), tryAgain, delay);
  }

  private void tryAgain(Choice choice, int attempt) {
    if (choice.isAt(State.PAUSED, attempt)) {
      place(choice);
    } else if (choice.isAt(State.PLACING, attempt)) {
      askRouter(choice); // The same question: what was said may be lost.
    }
  }

  private void placed(PlacementAnswer.Placed placed) {
    final Choice choice = choice(placed.id().value());
    if (!choice.isAt(State.PLACING, placed.attempt())) return;
    timers.cancel(choice.id());
    choice.placed(placed.placement());
    if (call.showsPlacements()) outbox.place(GenerationEvent.Placed.of(choice));
    watched.add(choice.placement().decode());
    if (surroundings.nodes().reaches(choice.placement().decode())) {
      generate(choice);
    } else {
      final WorkerId unreachable = choice.placement().worker();
      leaveWorker(choice);
      pause(choice);
      choice.preferOthersThan(unreachable);
    }
  }

  private void generate(Choice choice) {
    final Placement placement = choice.placement();
    placement
        .decode()
        .tell(
            new DecodeCommand.Generate(
                choice.attempt(), choice.request(), placement.prefill(), surroundings.hub()));
  }

  /** At once for a call that has nothing yet; one that has streamed waits, and tries again. */
  private void notPlaced(PlacementAnswer.NotPlaced answer) {
    final Choice choice = choice(answer.id().value());
    if (!choice.isAt(State.PLACING, answer.attempt())) return;
    timers.cancel(choice.id());
    if (answer.cause() == PlacementAnswer.Cause.INVALID || choice.isFresh()) {
      fail(choice, answer);
    } else {
      choice.notPlaced(answer);
      pause(choice);
    }
  }

  private void patienceOver(Choice choice) {
    if (choice.state() == State.FINISHED) return;
    if (choice.lastNoPlace() != null) fail(choice, choice.lastNoPlace());
    else fail(Kind.UNAVAILABLE, "the router does not answer", surroundings.settings().retryAfter());
  }

  private void fail(Choice choice, PlacementAnswer.NotPlaced answer) {
    final WorkerAnswer.Refused refusal = choice.refusal();
    if (refusal != null) {
      failOverLimit(Kind.OVERLOADED, refusal.limit(), refusal.value(), refusal.max(), answer);
      return;
    }
    final Kind kind =
        switch (answer.cause()) {
          case INVALID -> Kind.INVALID;
          case OVERLOADED -> Kind.OVERLOADED;
          case UNAVAILABLE -> Kind.UNAVAILABLE;
        };
    failOverLimit(kind, answer.limit(), answer.value(), answer.max(), answer);
  }

  private void failOverLimit(
      Kind kind, String limit, long value, long max, PlacementAnswer.NotPlaced answer) {
    fail(kind, limitMessage(limit, value, max), kind == Kind.INVALID ? null : answer.retryAfter());
  }

  private static String limitMessage(String limit, long value, long max) {
    return "the limit %s is %d, this request needs %d".formatted(limit, max, value);
  }

  private void refused(WorkerAnswer.Refused refusal) {
    final Choice choice = choice(refusal.id().value());
    if (!choice.isAt(State.RUNNING, refusal.attempt())) return;
    leaveWorker(choice);
    if (!refusal.passing()) {
      final String message = limitMessage(refusal.limit(), refusal.value(), refusal.max());
      fail(Kind.INVALID, message, null);
      return;
    }
    choice.refused(refusal);
    place(choice);
  }

  private void lost(WorkerAnswer.Lost loss) {
    final Choice choice = choice(loss.id().value());
    if (!choice.isAt(State.RUNNING, loss.attempt())) return;
    getContext().getLog().info("[{}] lost at [{}]: {}", loss.id(), loss.worker(), loss.reason());
    if (!loss.elsewhere()) {
      leaveWorker(choice);
      fail(Kind.INTERNAL, loss.reason(), null);
      return;
    }
    move(choice, false);
    choice.preferOthersThan(loss.worker());
  }

  /** A worker runs this: at the right place, or for nobody. */
  private void running(SessionMessage.Running running) {
    final WorkerAnswer.RunningSequence sequence = running.sequence();
    final Choice choice = choice(sequence.id().value());
    if (!choice.isAt(State.RUNNING, sequence.attempt())
        || !choice.placement().worker().equals(running.worker())) {
      running.decode().tell(new DecodeCommand.Cancel(sequence.id(), sequence.attempt()));
    } else if (sequence.sentTokens() > choice.tokenCount()) {
      missesTokens(choice, sequence.sentTokens());
    } else {
      heardOf(choice);
    }
  }

  private void heardOf(Choice choice) {
    if (!choice.hasBeenHeardOf()) {
      timers.cancel(new SessionMessage.PatienceOver(choice.index()));
    }
    choice.heardOf();
  }

  private void missesTokens(Choice choice, int before) {
    getContext().getLog().warn("[{}] misses tokens before {}", choice.id(), before);
    tellWorkerToStop(choice);
    move(choice, false);
  }

  /** A worker that runs a choice says so every now and then; else a message was lost, or it is. */
  private void lookAfter(Choice choice) {
    if (choice.state() != State.RUNNING) return;
    final int silentChecks = choice.countCheck();
    if (silentChecks >= surroundings.settings().silentChecksMax()) {
      final WorkerId silent = choice.placement().worker();
      getContext().getLog().warn("[{}] moves: [{}] is silent", choice.id(), silent);
      tellWorkerToStop(choice);
      move(choice, false);
      choice.preferOthersThan(silent);
    } else if (silentChecks > 0 && !choice.hasBeenHeardOf()) {
      generate(choice); // A repeat, which a worker that runs it ignores.
    }
  }

  private void answerCheck(BookingCheck.Booked booking) {
    final Choice choice = choice(booking.id().value());
    if (choice.isAt(State.RUNNING, booking.attempt())) {
      if (choice.hasNewsAtWorker()) tellPrefillFinished(choice);
    } else if (!choice.isAt(State.PLACING, booking.attempt())) {
      surroundings.router().tell(new RouterCommand.Ended(booking.id(), booking.attempt()));
    }
  }

  private void tellPrefillFinished(Choice choice) {
    surroundings.router().tell(new RouterCommand.PrefillFinished(choice.id(), choice.attempt()));
  }

  private void nodeUnreachable(Address node) {
    for (Choice choice : choices) {
      if (choice.state() != State.RUNNING) continue;
      if (!choice.placement().decode().path().address().equals(node)) continue;
      final WorkerId worker = choice.placement().worker();
      getContext().getLog().info("[{}] moves: [{}] cannot be reached", choice.id(), worker);
      tellWorkerToStop(choice); // Arrives if it is cut off for a moment only.
      if (move(choice, false)) {
        choice.preferOthersThan(worker);
        place(choice);
      }
    }
  }

  private void tokens(SessionMessage.Tokens tokens) {
    final WorkerAnswer.SequenceTokens sequence = tokens.sequence();
    final Choice choice = choice(sequence.id().value());
    if (!choice.isAt(State.RUNNING, sequence.attempt())) return; // From a place it has left.
    if (sequence.firstIndex() > choice.tokenCount()) {
      missesTokens(choice, sequence.firstIndex());
      return;
    }
    heardOf(choice);
    final WorkerAnswer.SequenceTokens news = sequence.from(choice.tokenCount());
    if (!news.tokens().isEmpty() || news.finish() != null) take(choice, news);
  }

  private void take(Choice choice, WorkerAnswer.SequenceTokens sequence) {
    if (choice.index() == 0 && choice.tokenCount() == 0) {
      cachedTokens = Math.min(sequence.cachedTokens(), call.promptTokens().length);
    }
    if (!choice.hasNewsAtWorker()) {
      tellPrefillFinished(choice);
    }
    final ChoiceText.News news = choice.accept(sequence);
    outbox.add(choice.index(), news.text(), news.tokenCount(), news.logprobs());
    if (sequence.embedding() != null) outbox.embed(choice.index(), sequence.embedding());
    startOthers();
    if (news.finish() != null) finish(choice, news.finish(), sequence.finish() == null);
  }

  private void startOthers() {
    for (Choice choice : choices) if (choice.state() == State.IDLE) place(choice);
  }

  private void finish(Choice choice, FinishReason reason, boolean workerGoesOn) {
    if (workerGoesOn) tellWorkerToStop(choice); // It knows nothing of stop strings.
    leaveWorker(choice);
    stopTimers(choice);
    choice.finish();
    outbox.finish(choice.index(), reason);
    if (choices.stream().anyMatch(other -> other.state() != State.FINISHED)) return;
    final int answerTokens = choices.stream().mapToInt(Choice::tokenCount).sum();
    outbox.end(new Completed(new Usage(call.promptTokens().length, answerTokens, cachedTokens)));
    ending = Ending.COMPLETED;
  }

  /** Goes on elsewhere with the tokens so far, after a pause; {@code false} when it has failed. */
  private boolean move(Choice choice, boolean workerIsGone) {
    if (choice.losses() >= surroundings.settings().retriesMax()) {
      final Duration retryAfter = surroundings.settings().retryAfter();
      fail(Kind.UNAVAILABLE, "no worker could finish this request", retryAfter);
      return false;
    }
    leaveWorker(choice);
    choice.lost(workerIsGone);
    pause(choice);
    return true;
  }

  private void pause(Choice choice) {
    choice.pause();
    tryAgainAfter(choice, surroundings.settings().delayBefore(choice.pauses()));
  }

  private void tellWorkerToStop(Choice choice) {
    choice.placement().decode().tell(new DecodeCommand.Cancel(choice.id(), choice.attempt()));
  }

  /** It does not run at its worker any more. */
  private void leaveWorker(Choice choice) {
    watched.remove(choice.placement().decode());
    surroundings.router().tell(new RouterCommand.Ended(choice.id(), choice.attempt()));
  }

  private void fail(Kind kind, String message, Duration retryAfter) {
    if (outbox.hasEnd()) return;
    getContext().getLog().debug("[{}] fails as {}: {}", call.requestId(), kind, message);
    stopAll();
    outbox.end(new Failed(kind, message, retryAfter));
    ending = Ending.FAILED;
  }

  private void stopAll() {
    for (Choice choice : choices) {
      stopTimers(choice);
      switch (choice.state()) {
        case RUNNING -> {
          tellWorkerToStop(choice);
          leaveWorker(choice);
        }
        case PLACING ->
            surroundings.router().tell(new RouterCommand.Ended(choice.id(), choice.attempt()));
        case IDLE, PAUSED, FINISHED -> {}
      }
      choice.finish();
    }
  }

  private void stopTimers(Choice choice) {
    timers.cancel(choice.id());
    timers.cancel(new SessionMessage.PatienceOver(choice.index()));
  }

  private Choice choice(String choiceId) {
    return choices.get(
        Integer.parseInt(choiceId, choiceId.lastIndexOf('/') + 1, choiceId.length(), 10));
  }

  private Behavior<SessionMessage> onTerminated(Terminated signal) {
    if (signal.getRef().equals(client)) return Behaviors.stopped();
    watched.gone(signal.getRef());
    for (Choice choice : choices) {
      if (choice.state() != State.RUNNING) continue;
      if (!choice.placement().decode().equals(signal.getRef())) continue;
      getContext()
          .getLog()
          .info("[{}] moves: [{}] is gone", choice.id(), choice.placement().worker());
      move(choice, true);
    }
    return deliver();
  }

  private Behavior<SessionMessage> onStop() {
    stopAll();
    final int moves = choices.stream().mapToInt(Choice::moves).sum();
    surroundings.onEnd().ended(ending, moves);
    return this;
  }
}
