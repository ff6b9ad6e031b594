package dev.stator.request;

import dev.stator.protocol.PlacementAnswer;
import dev.stator.protocol.WorkerAnswer;
import dev.stator.protocol.WorkerId;

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

  record FromRouter(PlacementAnswer answer) implements SessionMessage {}

  /** Our own timer's: the router has been silent, or a pause is over. */
  record TryAgain(int choiceIndex, int attempt) implements SessionMessage {}
}
