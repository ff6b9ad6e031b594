package dev.stator.protocol;

import dev.stator.engine.GenerationRequest;
import dev.stator.engine.RequestId;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;

/** To a worker in its decode role. */
public sealed interface DecodeCommand extends ClusterMessage {
  /**
   * Runs a sequence; {@code replyTo} gets its tokens, or one refusal. A higher attempt of an id
   * that runs here replaces it.
   *
   * @param prefill who computes the prompt; {@code null} for this worker itself
   * @param replyTo the session node; its death cancels the sequence
   */
  record Generate(
      int attempt,
      GenerationRequest request,
      Placement.PrefillPlan prefill,
      ActorRef<WorkerAnswer> replyTo)
      implements DecodeCommand {}

  /** Ends a sequence before the next step; nothing is answered. Unknown ids are ignored. */
  record Cancel(RequestId id, int attempt) implements DecodeCommand {}

  /**
   * No more blocks will come from the prefill worker; those that came count.
   *
   * @param grantId of the grant that the prefill wrote into; a later prefill has another
   */
  record PrefillEnded(RequestId id, int attempt, long grantId, String reason)
      implements DecodeCommand {}

  /**
   * What a prefill worker computes or sends for this worker; told every reconcile interval. Orders
   * of which nobody waits here are cancelled.
   */
  record Prefilling(List<PrefillCommand.Order> orders, ActorRef<PrefillCommand> prefill)
      implements DecodeCommand {
    public Prefilling {
      orders = List.copyOf(orders);
    }
  }
}
