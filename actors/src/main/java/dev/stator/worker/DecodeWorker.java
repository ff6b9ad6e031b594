package dev.stator.worker;

import dev.stator.engine.Admission;
import dev.stator.engine.RequestId;
import dev.stator.engine.StepReport;
import dev.stator.protocol.DecodeCommand;
import dev.stator.protocol.Placement;
import dev.stator.protocol.PrefillCommand;
import dev.stator.protocol.WorkerAnswer;
import dev.stator.protocol.WorkerId;
import dev.stator.transport.Grant;
import dev.stator.transport.GrantOutcome;
import dev.stator.worker.Decoding.State;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;

/**
 * A worker's decode role: sequences run here, with the prompt computed here or elsewhere.
 *
 * <pre>
 *            local ┌──────────────── Admitted ────────────────┐
 *   Generate ──▶ ASKED                                         ▼
 *            remote └─Admitted─▶ FILLING ── grant ended ──▶ RUNNING ── finish ──▶ (gone)
 *                                   └─ Cancel ─▶ CANCELLED ── grant ended ──▶ (gone)
 * </pre>
 *
 * Whatever happens to a remote prefill, the sequence goes on with the blocks that have arrived:
 * another prefill worker takes over what is missing while that is worth it, else the engine
 * computes it. A cancelled sequence's blocks are freed when nobody can write into them any more.
 *
 * <p>Every reconcile interval session nodes hear what runs for them, and prefill workers that have
 * said nothing are asked again, then given up: a lost message costs an interval or few. Spawned
 * once by its worker. KV bytes never pass through this mailbox.
 */
final class DecodeWorker extends AbstractBehavior<DecodeWorker.Command> {
  /** What comes in; the outside speaks {@link DecodeCommand}. */
  sealed interface Command {}

  /** From outside. */
  private record Received(DecodeCommand command) implements Command {}

  /** Whether new work is taken; {@code idle} is told once nothing runs. */
  record Accept(boolean accepts, ActorRef<? super Worker.RoleIdle> idle) implements Command {}

  /** Tells all sequences to go on elsewhere. */
  record Evict(String reason) implements Command {}

  /** Ends the role, unless something runs. */
  record Close() implements Command {}

  private record EngineGone() implements Command {}

  private record FromEngine(EngineActor.Event event) implements Command {}

  private record GrantEnded(RequestId engineId, GrantOutcome outcome) implements Command {}

  private record Reconcile() implements Command {} // Our own timer's message.

  /** The behaviour as the outside sees it; {@link Accept} passes through. */
  static Behavior<DecodeCommand> create(RoleSurroundings surroundings, boolean accepts) {
    final Behavior<Command> inner =
        Behaviors.setup(context ->
            Behaviors.withTimers(timers -> {
              timers.startTimerWithFixedDelay(
                  new Reconcile(), surroundings.settings().reconcileInterval());
              return new DecodeWorker(context, surroundings, accepts);
            }));
    return Behaviors.transformMessages(
        DecodeCommand.class, inner, builder -> builder.match(DecodeCommand.class, Received::new));
  }

  private final RoleSurroundings surroundings;
  private final ActorRef<EngineActor.Event> fromEngine;
  private final Map<RequestId, Decoding> byEngineId = new LinkedHashMap<>();
  private final Map<RequestId, Decoding> latest = new HashMap<>();
  private final Watched watched;
  private boolean accepts;
  private ActorRef<? super Worker.RoleIdle> toldWhenIdle;

  private DecodeWorker(
      ActorContext<Command> context, RoleSurroundings surroundings, boolean accepts) {
    super(context);
    context.setLoggerName(DecodeWorker.class);
    this.surroundings = surroundings;
    this.accepts = accepts;
    this.fromEngine = context.messageAdapter(EngineActor.Event.class, FromEngine::new);
    this.watched = new Watched(context);
    context.watchWith(surroundings.engine(), new EngineGone());
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
      case Received(DecodeCommand.Generate generate) -> start(generate);
      case Received(DecodeCommand.Cancel(var id, var attempt)) -> cancel(id, attempt);
      case Received(DecodeCommand.PrefillEnded ended) -> prefillEnded(ended);
      case Received(DecodeCommand.Prefilling prefilling) -> prefilling(prefilling);
      case Accept(var newAccepts, var idle) -> {
        accepts = newAccepts;
        toldWhenIdle = newAccepts ? null : idle;
      }
      case Evict(var reason) -> evict(reason);
      case Close() -> {
        if (byEngineId.isEmpty()) return Behaviors.stopped();
      }
      case EngineGone() -> {
        return Behaviors.stopped();
      }
      case FromEngine(EngineActor.Answered(var id, var admission)) -> answered(id, admission);
      case FromEngine(EngineActor.Stepped stepped) -> stepped(stepped);
      case FromEngine(EngineActor.Broken(var ids, var reason)) -> {
        for (RequestId id : ids) lost(byEngineId.get(id), reason, true);
      }
      case Reconcile() -> {
        tellWhatRuns();
        List.copyOf(byEngineId.values()).forEach(this::lookAfterPrefill);
      }
      case GrantEnded(var engineId, var outcome) -> grantEnded(engineId, outcome);
    }
    if (toldWhenIdle != null && byEngineId.isEmpty()) {
      toldWhenIdle.tell(Worker.RoleIdle.DECODE);
      toldWhenIdle = null;
    }
    return this;
  }

  private void start(DecodeCommand.Generate call) {
    final RequestId id = call.request().id();
    final Decoding running = latest.get(id);
    if (running != null) {
      if (running.call.attempt() >= call.attempt())
        return; // A repeat, or overtaken by a later one.
      end(running);
    }
    if (!accepts) {
      refuse(call, new Admission.Refused("worker.roles", 1, 0, true));
      return;
    }
    final Decoding decoding = new Decoding(call);
    byEngineId.put(decoding.engineId(), decoding);
    latest.put(id, decoding);
    watched.add(call.replyTo());
    take(decoding);
  }

  private void take(Decoding decoding) {
    final var kind = decoding.remote ? EngineActor.Kind.RESERVE : EngineActor.Kind.GENERATE;
    final var request = EngineIds.renamed(decoding.call.request(), decoding.engineId());
    surroundings.engine().tell(new EngineActor.Take(kind, request, fromEngine));
  }

  private void answered(RequestId engineId, Admission admission) {
    final Decoding decoding = byEngineId.get(engineId);
    if (decoding == null)
      return; // Cancelled meanwhile; the engine has been told behind its answer.
    switch (admission) {
      case Admission.Refused refused -> {
        if (decoding.remote && refused.passing()) { // No room to reserve at once: queue up instead.
          decoding.remote = false;
          take(decoding);
          return;
        }
        refuse(decoding.call, refused);
        forget(decoding);
      }
      case Admission.Admitted admitted -> {
        decoding.state = State.RUNNING;
        if (decoding.remote) startFilling(decoding, admitted);
      }
    }
  }

  private void startFilling(Decoding decoding, Admission.Admitted admitted) {
    decoding.missing = admitted.blocksToFill();
    decoding.firstMissing = admitted.cachedTokens() / surroundings.description().blockSize();
    if (decoding.missing.isEmpty() || !askPrefiller(decoding, decoding.call.prefill().first())) {
      resume(decoding);
    }
  }

  /** {@code false} when no grant can be given. */
  private boolean askPrefiller(Decoding decoding, Placement.Prefiller prefiller) {
    final RequestId engineId = decoding.engineId();
    final ActorRef<Command> self = getContext().getSelf();
    final Optional<Grant> grant =
        surroundings
            .agent()
            .grant(
                surroundings.memoryId(),
                decoding.missing,
                surroundings.settings().remotePrefillTimeout(),
                outcome -> self.tell(new GrantEnded(engineId, outcome)));
    if (grant.isEmpty()) return false;
    decoding.state = State.FILLING;
    decoding.prefiller = prefiller;
    decoding.prefillerSpoke = false;
    decoding.silentIntervals = 0;
    decoding.order =
        new PrefillCommand.Prefill(
            decoding.call.attempt(),
            decoding.call.request(),
            decoding.firstMissing,
            decoding.call.prefill().pull(),
            grant.get(),
            self.unsafeUpcast()); // Transformed back on arrival, see create.
    watched.add(prefiller.prefill());
    prefiller.prefill().tell(decoding.order);
    return true;
  }

  private void grantEnded(RequestId engineId, GrantOutcome outcome) {
    final Decoding decoding = byEngineId.get(engineId);
    if (decoding == null) return; // The engine has ended the sequence with its own failure.
    final boolean complete = outcome.ending() == GrantOutcome.Ending.COMPLETE;
    watched.remove(decoding.prefiller.prefill());
    surroundings
        .gauge()
        .received(outcome.arrivedBlocks() * surroundings.description().blockBytes());
    if (!complete) tellPrefillToStop(decoding);
    if (decoding.state == State.CANCELLED) {
      surroundings.engine().tell(new EngineActor.Cancel(engineId));
      forget(decoding);
      return;
    }
    decoding.arrived(outcome.contiguousBlocks());
    if (!takeOver(decoding)) {
      getContext().getLog().debug("Sequence [{}] goes on with {}", engineId, outcome);
      if (!decoding.call.prefill().pull()) surroundings.gauge().remotePrefillEnded(complete);
      resume(decoding);
    }
  }

  private boolean takeOver(Decoding decoding) {
    final Placement.Prefiller next = decoding.next();
    if (next == null
        || decoding.takeOvers >= surroundings.settings().takeOversMax()
        || decoding.missing.size() < surroundings.settings().takeOverBlocks()
        || !askPrefiller(decoding, next)) {
      return false;
    }
    decoding.takeOvers++;
    getContext()
        .getLog()
        .info(
            "[{}] takes over [{}], {} blocks are missing",
            next.worker(),
            decoding.engineId(),
            decoding.missing.size());
    return true;
  }

  private void resume(Decoding decoding) {
    decoding.state = State.RUNNING;
    surroundings.engine().tell(new EngineActor.Resume(decoding.engineId(), decoding.filled));
  }

  private void prefillEnded(DecodeCommand.PrefillEnded ended) {
    final var order = new PrefillCommand.Order(ended.id(), ended.attempt(), ended.grantId());
    final Decoding decoding = byEngineId.get(EngineIds.decode(ended.id(), ended.attempt()));
    if (decoding == null || !decoding.waitsFor(order)) return;
    getContext().getLog().debug("Prefill of [{}] ended: {}", ended.id(), ended.reason());
    revoke(decoding);
  }

  /** The grant's outcome says what has arrived. */
  private void revoke(Decoding decoding) {
    surroundings.agent().revoke(decoding.order.grant().id());
  }

  /** A prefill worker works on these: for somebody here, or for nobody. */
  private void prefilling(DecodeCommand.Prefilling prefilling) {
    for (PrefillCommand.Order order : prefilling.orders()) {
      final Decoding decoding = byEngineId.get(EngineIds.decode(order.id(), order.attempt()));
      if (decoding == null || !decoding.waitsFor(order)) {
        prefilling.prefill().tell(new PrefillCommand.CancelPrefill(order));
      } else {
        decoding.prefillerSpoke = true;
        decoding.silentIntervals = 0;
      }
    }
  }

  private void lookAfterPrefill(Decoding decoding) {
    if (decoding.state != State.FILLING) return;
    final int silentIntervals = decoding.silentIntervals++;
    if (silentIntervals >= surroundings.settings().silentIntervalsMax()) {
      getContext()
          .getLog()
          .warn("Prefill worker [{}] is silent on [{}]", decoding.prefiller, decoding.id());
      revoke(decoding);
    } else if (silentIntervals > 0 && !decoding.prefillerSpoke) {
      decoding.prefiller.prefill().tell(decoding.order); // A repeat is ignored there.
    }
  }

  private static void tellPrefillToStop(Decoding decoding) {
    decoding.prefiller.prefill().tell(new PrefillCommand.CancelPrefill(decoding.order.order()));
  }

  private void tellWhatRuns() {
    final Map<ActorRef<WorkerAnswer>, List<WorkerAnswer.RunningSequence>> byNode =
        new LinkedHashMap<>();
    for (Decoding decoding : byEngineId.values()) {
      if (decoding.state == State.CANCELLED) continue;
      byNode
          .computeIfAbsent(decoding.call.replyTo(), node -> new ArrayList<>())
          .add(
              new WorkerAnswer.RunningSequence(
                  decoding.id(), decoding.call.attempt(), decoding.tokensSent));
    }
    byNode.forEach((node, sequences) -> {
      for (List<WorkerAnswer.RunningSequence> part :
          Parts.of(sequences, surroundings.settings().reconcileSequences())) {
        node.tell(
            new WorkerAnswer.Running(
                surroundings.description().id(), getContext().getSelf().unsafeUpcast(), part));
      }
    });
  }

  private void stepped(EngineActor.Stepped stepped) {
    final Map<ActorRef<WorkerAnswer>, List<WorkerAnswer.SequenceTokens>> byNode =
        new LinkedHashMap<>();
    for (StepReport.Progress progress : stepped.progress()) {
      final Decoding decoding = byEngineId.get(progress.id());
      if (decoding == null || (progress.tokens().isEmpty() && progress.finish() == null)) continue;
      byNode
          .computeIfAbsent(decoding.call.replyTo(), node -> new ArrayList<>())
          .add(tokensOf(decoding, progress));
      decoding.tokensSent += progress.tokens().size();
    }
    byNode.forEach(this::tellTokens);
    for (StepReport.Progress progress : stepped.progress()) {
      if (progress.finish() != null) forget(byEngineId.get(progress.id()));
    }
    for (StepReport.Failure failure : stepped.failures()) {
      lost(byEngineId.get(failure.id()), failure.reason(), false);
    }
  }

  /** Embeddings are long: each goes in a message of its own. */
  private void tellTokens(
      ActorRef<WorkerAnswer> node, List<WorkerAnswer.SequenceTokens> sequences) {
    final WorkerId self = surroundings.description().id();
    final List<WorkerAnswer.SequenceTokens> answers = new ArrayList<>();
    for (WorkerAnswer.SequenceTokens sequence : sequences) {
      if (sequence.embedding() == null) answers.add(sequence);
      else node.tell(new WorkerAnswer.TokenBatch(self, List.of(sequence)));
    }
    if (!answers.isEmpty()) node.tell(new WorkerAnswer.TokenBatch(self, answers));
  }

  private static WorkerAnswer.SequenceTokens tokensOf(
      Decoding decoding, StepReport.Progress progress) {
    return new WorkerAnswer.SequenceTokens(
        decoding.id(),
        decoding.call.attempt(),
        decoding.tokensSent,
        progress.tokens(),
        progress.finish(),
        progress.cachedTokens(),
        progress.embedding());
  }

  private void cancel(RequestId id, int attempt) {
    final Decoding decoding = byEngineId.get(EngineIds.decode(id, attempt));
    if (decoding != null) end(decoding);
  }

  /** Ends a sequence of which nobody wants to hear any more. */
  private void end(Decoding decoding) {
    switch (decoding.state) {
      case ASKED, RUNNING -> {
        surroundings.engine().tell(new EngineActor.Cancel(decoding.engineId()));
        forget(decoding);
      }
      case FILLING -> {
        decoding.state = State.CANCELLED;
        revoke(decoding);
      }
      case CANCELLED -> {}
    }
  }

  private void evict(String reason) {
    for (Decoding decoding : List.copyOf(byEngineId.values())) {
      if (decoding.state == State.CANCELLED) continue;
      tellLost(decoding, reason, true);
      end(decoding);
    }
  }

  private void lost(Decoding decoding, String reason, boolean elsewhere) {
    if (decoding == null) return;
    if (decoding.state == State.FILLING || decoding.state == State.CANCELLED) {
      revoke(decoding);
      tellPrefillToStop(decoding);
      watched.remove(decoding.prefiller.prefill());
    }
    tellLost(decoding, reason, elsewhere);
    forget(decoding);
  }

  private void tellLost(Decoding decoding, String reason, boolean elsewhere) {
    decoding
        .call
        .replyTo()
        .tell(
            new WorkerAnswer.Lost(
                decoding.id(),
                decoding.call.attempt(),
                surroundings.description().id(),
                reason,
                elsewhere));
  }

  private void refuse(DecodeCommand.Generate call, Admission.Refused refused) {
    call.replyTo()
        .tell(
            new WorkerAnswer.Refused(
                call.request().id(),
                call.attempt(),
                surroundings.description().id(),
                refused.limit(),
                refused.value(),
                refused.max(),
                refused.passing()));
  }

  private void forget(Decoding decoding) {
    if (decoding == null) return;
    byEngineId.remove(decoding.engineId());
    latest.remove(decoding.id(), decoding);
    watched.remove(decoding.call.replyTo());
  }

  private Behavior<Command> onTerminated(Terminated signal) {
    watched.gone(signal.getRef());
    for (Decoding decoding : List.copyOf(byEngineId.values())) {
      if (decoding.call.replyTo().equals(signal.getRef())) {
        end(decoding);
      } else if (decoding.state == State.FILLING
          && decoding.prefiller.prefill().equals(signal.getRef())) {
        revoke(decoding);
      }
    }
    return this;
  }
}
