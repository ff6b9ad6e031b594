package dev.stator.protocol;

import dev.stator.engine.RequestId;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * Asks where a sequence should run; answered by a {@link PlacementAnswer}. The same id and attempt
 * again is the same question and gets the same answer.
 *
 * @param attempt counts the placements of this id, from 0; a higher one ends the lower ones
 * @param tokens prompt and answer so far; owned by the message, never written
 * @param maxNewTokens answer tokens that may still come
 * @param numerics fingerprint of the worker that computed the answer so far; empty when there is
 *     none
 * @param avoid workers that have just refused this sequence
 * @param sessions the session node, asked now and then whether it still runs; its death ends what
 *     is booked for it
 */
public record Place(
    RequestId id,
    int attempt,
    int[] tokens,
    int maxNewTokens,
    String cacheSalt,
    String numerics,
    Set<WorkerId> avoid,
    ActorRef<PlacementAnswer> replyTo,
    ActorRef<BookingCheck> sessions)
    implements RouterCommand {
  public Place {
    avoid = Set.copyOf(avoid);
  }
}
