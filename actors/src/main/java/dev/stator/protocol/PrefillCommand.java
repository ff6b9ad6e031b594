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
   * @param cachedOnly whether only blocks that are here already are written, and none is computed
   * @param replyTo hears when nothing more will come; its death cancels
   */
  record Prefill(
      int attempt,
      GenerationRequest request,
      int firstBlockIndex,
      boolean cachedOnly,
      Grant grant,
      ActorRef<DecodeCommand> replyTo)
      implements PrefillCommand {
    public Order order() {
      return new Order(request.id(), attempt, grant.id());
    }
  }

  /** Nobody waits for the prompt any more. Unknown orders are ignored. */
  record CancelPrefill(Order order) implements PrefillCommand {}

  /**
   * Names one {@link Prefill} among all of its decode worker.
   *
   * @param grantId at the decode worker's agent
   */
  record Order(RequestId id, int attempt, long grantId) {}
}
