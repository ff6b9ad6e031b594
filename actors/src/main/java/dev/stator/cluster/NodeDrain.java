package dev.stator.cluster;

import dev.stator.protocol.WorkerCommand;
import dev.stator.protocol.WorkerCommand.RolesTaken;
import dev.stator.request.SessionHub;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * A node's way out. A part of the node's guardian, and on its thread.
 *
 * <pre>
 *   (begin) ──▶ SESSIONS ── all have ended ──▶ SLOTS ── nothing runs ──▶ DONE
 *                  └─ session-drain-timeout: they fail     └─ drain-timeout: sequences go on elsewhere
 * </pre>
 *
 * Sessions are refused from the start on, sequences from {@code SLOTS} on.
 */
final class NodeDrain {
  /** To the guardian; it hands these to {@link #on}. */
  sealed interface Step extends ClusterGuardian.Command {}

  private record SessionsEnded() implements Step {}

  private record SessionsOverdue() implements Step {} // Our own timer's.

  private record SlotEmpty(ActorRef<WorkerCommand> worker) implements Step {}

  private record SlotOverdue(ActorRef<WorkerCommand> worker, boolean evicted) implements Step {}

  private enum Phase {
    NONE,
    SESSIONS,
    SLOTS,
    DONE
  }

  private static final Duration EVICTION_MAX = Duration.ofSeconds(5);

  private final ActorContext<ClusterGuardian.Command> context;
  private final TimerScheduler<ClusterGuardian.Command> timers;
  private final ClusterSettings settings;
  private final Runnable onDone;
  private final Set<ActorRef<WorkerCommand>> busy = new HashSet<>();
  private Phase phase = Phase.NONE;
  private Collection<ActorRef<SessionHub.Command>> hubs = List.of();
  private Collection<ActorRef<WorkerCommand>> workers = List.of();
  private int openHubs;

  NodeDrain(
      ActorContext<ClusterGuardian.Command> context,
      TimerScheduler<ClusterGuardian.Command> timers,
      ClusterSettings settings,
      Runnable onDone) {
    this.context = context;
    this.timers = timers;
    this.settings = settings;
    this.onDone = onDone;
  }

  boolean hasBegun() {
    return phase != Phase.NONE;
  }

  void begin(
      Collection<ActorRef<SessionHub.Command>> theHubs,
      Collection<ActorRef<WorkerCommand>> theWorkers) {
    phase = Phase.SESSIONS;
    hubs = theHubs;
    workers = theWorkers;
    openHubs = hubs.size();
    final ActorRef<Done> ended = context.messageAdapter(Done.class, done -> new SessionsEnded());
    hubs.forEach(hub -> hub.tell(new SessionHub.Drain(ended)));
    if (openHubs == 0) leaveSlots();
    else timers.startSingleTimer(new SessionsOverdue(), settings.sessionDrainTimeout());
  }

  void on(Step step) {
    switch (step) {
      case SessionsEnded() -> {
        openHubs--;
        if (openHubs == 0) leaveSlots();
      }
      case SessionsOverdue() -> {
        context.getLog().warn("Sessions still run after {}: ended", settings.sessionDrainTimeout());
        hubs.forEach(hub -> hub.tell(new SessionHub.Abort("the server is shutting down")));
        leaveSlots();
      }
      case SlotEmpty(var worker) -> workerIsDone(worker);
      case SlotOverdue(var worker, var evicted) -> {
        if (evicted) {
          workerIsDone(worker);
        } else if (busy.contains(worker)) {
          context.getLog().info("Sequences still run after {}: moved", settings.drainTimeout());
          worker.tell(new WorkerCommand.Evict("the node drains"));
          askToLeave(worker, EVICTION_MAX, true);
        }
      }
    }
  }

  /** Its worker has stopped answering, or has answered. */
  void workerIsDone(ActorRef<WorkerCommand> worker) {
    busy.remove(worker);
    finishWhenEmpty();
  }

  private void leaveSlots() {
    if (phase != Phase.SESSIONS) return;
    phase = Phase.SLOTS;
    timers.cancel(new SessionsOverdue());
    busy.addAll(workers);
    workers.forEach(worker -> askToLeave(worker, settings.drainTimeout(), false));
    finishWhenEmpty();
  }

  private void askToLeave(ActorRef<WorkerCommand> worker, Duration timeout, boolean evicted) {
    context.ask(
        RolesTaken.class,
        worker,
        timeout,
        (ActorRef<RolesTaken> answer) -> new WorkerCommand.TakeRoles(Set.of(), answer),
        (taken, overdue) ->
            taken != null ? new SlotEmpty(worker) : new SlotOverdue(worker, evicted));
  }

  private void finishWhenEmpty() {
    if (phase != Phase.SLOTS || !busy.isEmpty()) return;
    phase = Phase.DONE;
    onDone.run();
  }
}
