package dev.stator.router;

import dev.stator.engine.EngineLoad;
import dev.stator.protocol.WorkRates;
import dev.stator.protocol.WorkerDescription;
import dev.stator.protocol.WorkerId;
import dev.stator.protocol.WorkerReport;
import dev.stator.protocol.WorkerRole;
import dev.stator.protocol.WorkerUp;
import java.util.Set;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * A worker as far as its router knows it. The book says what the router has placed there; reports
 * count as well while the worker runs what somebody else has placed, as after a router's restart.
 */
final class KnownWorker {
  private WorkerUp up;
  private Set<WorkerRole> roles;
  private EngineLoad reported;
  private WorkRates rates = WorkRates.UNKNOWN;
  private boolean hasStrangers;

  KnownWorker(WorkerUp up) {
    this.up = up;
    this.roles = up.roles();
    this.reported = up.load();
    this.hasStrangers = sequences() > 0;
  }

  WorkerId id() {
    return up.description().id();
  }

  WorkerDescription description() {
    return up.description();
  }

  WorkerUp up() {
    return up;
  }

  /** Whether it is on this node, for all that the router knows of. */
  boolean isAt(Address node) {
    return up.worker().path().address().equals(node);
  }

  /** Its roles have other actors. */
  void introduced(WorkerUp again) {
    up = again;
    roles = again.roles();
  }

  /** Whether it can be asked; the actor of a role may be on its way. */
  boolean has(WorkerRole role) {
    return roles.contains(role) && (role == WorkerRole.DECODE ? up.decode() : up.prefill()) != null;
  }

  /** Whether an actor of a role that it has reported is not known. */
  boolean isIncomplete() {
    return roles.stream().anyMatch(role -> !has(role));
  }

  /** Whether this is, as far as is known, the actor of one of its roles. */
  boolean hasActor(ActorRef<?> ref) {
    return ref.equals(up.decode()) || ref.equals(up.prefill());
  }

  void reported(WorkerReport report, LoadBook book) {
    roles = report.roles();
    reported = report.load();
    rates = report.rates();
    hasStrangers &= sequences() > book.load(id()).requests();
  }

  CostModel.Option option(Overlaps overlaps, LoadBook book) {
    return new CostModel.Option(description(), overlaps.of(description()), load(book), rates);
  }

  /** As one that lends, which it does from its device alone. */
  CostModel.Option source(Overlaps overlaps, LoadBook book) {
    return new CostModel.Option(description(), overlaps.onDevice(description()), load(book), rates);
  }

  private LoadBook.Load load(LoadBook book) {
    final LoadBook.Load booked = book.load(id());
    if (!hasStrangers) return booked;
    return new LoadBook.Load(
        Math.max(booked.requests(), sequences()),
        Math.max(booked.prefillTokens(), reported.waitingTokens()),
        Math.max(booked.blocks(), reported.usedBlocks()));
  }

  private int sequences() {
    return reported.runningSequences() + reported.waitingSequences();
  }
}
