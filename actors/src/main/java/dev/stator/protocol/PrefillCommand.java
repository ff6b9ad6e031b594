package dev.stator.protocol;

import dev.stator.engine.GenerationRequest;
import dev.stator.engine.RequestId;
import dev.stator.transport.Grant;
import org.apache.pekko.actor.typed.ActorRef;

/** To a worker in its prefill role. */
public sealed interface PrefillCommand extends ClusterMessage {
  /**
   * Computes the full blocks of a prompt and writes them into the grant as they get ready.
   *
   * @param firstBlockIndex which block of the sequence the grant's first block is
   * @param replyTo hears when nothing more will come; its death cancels
   */
  record Prefill(
      int attempt,
      GenerationRequest request,
      int firstBlockIndex,
      Grant grant,
      ActorRef<DecodeCommand> replyTo)
      implements PrefillCommand {}

  /** Nobody waits for the prompt any more. Unknown ids are ignored. */
  record CancelPrefill(RequestId id, int attempt) implements PrefillCommand {}
}
