package dev.stator.worker;

import dev.stator.protocol.WorkerRole;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * One role of a worker. One thread.
 *
 * <pre>
 *   CLOSED ── asked for, started ──▶ OPEN ── lost, idle, told to end ──▶ ENDING ── ended ──▶ CLOSED
 * </pre>
 *
 * @param <T> what the role's actor takes
 */
final class RoleSeat<T> {
  final WorkerRole role;
  private ActorRef<T> actor; // Null while it is closed.
  private boolean busy;
  private boolean ending;

  RoleSeat(WorkerRole role) {
    this.role = role;
  }

  ActorRef<T> actor() {
    return actor;
  }

  boolean isOpen() {
    return actor != null;
  }

  /** Whether lost work still runs. */
  boolean isBusy() {
    return busy;
  }

  boolean isEnding() {
    return ending;
  }

  void opened(ActorRef<T> started) {
    actor = started;
    busy = false;
    ending = false;
  }

  void busy(boolean value) {
    busy = value && isOpen();
  }

  void ending() {
    ending = true;
  }

  void closed() {
    actor = null;
    busy = false;
    ending = false;
  }

  boolean is(ActorRef<?> ref) {
    return ref.equals(actor);
  }
}
