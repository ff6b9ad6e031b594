package dev.stator.request;

import dev.stator.protocol.BookingCheck;
import dev.stator.protocol.DecodeCommand;
import dev.stator.protocol.PlacementAnswer;
import dev.stator.protocol.WorkerAnswer;
import dev.stator.protocol.WorkerId;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.typed.ActorRef;

/** To a session; all of it within one node. */
sealed interface SessionMessage {
  /** The client can take one more event. */
  record Demand() implements SessionMessage {}

  /** The client is gone. */
  record Cancel() implements SessionMessage {}

  /** The node stops. */
  record Abort(String message) implements SessionMessage {}

  record Tokens(WorkerId worker, WorkerAnswer.SequenceTokens sequence) implements SessionMessage {}

  record Refused(WorkerAnswer.Refused refusal) implements SessionMessage {}

  record Lost(WorkerAnswer.Lost loss) implements SessionMessage {}

  /** A worker says that it runs this. */
  record Running(
      WorkerId worker, ActorRef<DecodeCommand> decode, WorkerAnswer.RunningSequence sequence)
      implements SessionMessage {}

  /** The router asks whether this runs. */
  record Booked(BookingCheck.Booked booking) implements SessionMessage {}

  /** Nobody at this node can be reached. */
  record NodeUnreachable(Address node) implements SessionMessage {}

  record FromRouter(PlacementAnswer answer) implements SessionMessage {}

  /** Our own timer's: the router has been silent, or a pause is over. */
  record TryAgain(int choiceIndex, int attempt) implements SessionMessage {}

  /** Our own timer's: a choice has been without a place for long enough. */
  record PatienceOver(int choiceIndex) implements SessionMessage {}

  /** Our own timer's: time to look whether the workers still speak. */
  record LookAfter() implements SessionMessage {}
}
