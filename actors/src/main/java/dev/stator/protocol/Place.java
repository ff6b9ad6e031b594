package dev.stator.protocol;

import dev.stator.engine.RequestId;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * Asks where a sequence should run; answered once by a {@link PlacementAnswer}. The same id and
 * attempt again is the same question.
 *
 * @param attempt counts the placements of this id, from 0; a higher one ends the lower ones
 * @param tokens prompt and answer so far; owned by the message, never written
 * @param maxNewTokens answer tokens that may still come
 * @param avoid workers that have just refused this sequence
 */
public record Place(
    RequestId id,
    int attempt,
    int[] tokens,
    int maxNewTokens,
    String cacheSalt,
    Set<WorkerId> avoid,
    ActorRef<PlacementAnswer> replyTo)
    implements RouterCommand {
  public Place {
    avoid = Set.copyOf(avoid);
  }
}
