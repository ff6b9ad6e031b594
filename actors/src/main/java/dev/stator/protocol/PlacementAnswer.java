package dev.stator.protocol;

import dev.stator.engine.RequestId;
import java.time.Duration;

/** What a router answers to {@link Place}. */
public sealed interface PlacementAnswer extends ClusterMessage {
  RequestId id();

  int attempt();

  /** The router counts the sequence at its worker until {@link RouterCommand.Ended}. */
  record Placed(RequestId id, int attempt, Placement placement) implements PlacementAnswer {}

  /**
   * A limit stands in the way, or nobody is there.
   *
   * @param limit its name in the configuration
   * @param value what the request would have needed
   * @param max what the limit allows
   * @param retryAfter when asking again makes sense
   */
  record NotPlaced(
      RequestId id,
      int attempt,
      Cause cause,
      String limit,
      long value,
      long max,
      Duration retryAfter)
      implements PlacementAnswer {}

  /** Why a request has no place. */
  enum Cause {
    /** It could never run here. */
    INVALID,
    /** A limit is reached for now. */
    OVERLOADED,
    /** No worker. */
    UNAVAILABLE
  }
}
