package dev.stator.protocol;

import dev.stator.engine.RequestId;
import org.apache.pekko.actor.Address;

/** To a model's router. */
public sealed interface RouterCommand extends ClusterMessage
    permits Place,
        RouterCommand.PrefillFinished,
        RouterCommand.Ended,
        RouterCommand.NodeUnreachable,
        RouterCommand.NodeReachable,
        WorkerUp,
        WorkerReport,
        KvBatch,
        KvDumpPart {
  /** The first token of a placed request is there. */
  record PrefillFinished(RequestId id, int attempt) implements RouterCommand {}

  /** A placed request does not run at its worker any more. */
  record Ended(RequestId id, int attempt) implements RouterCommand {}

  /**
   * Nothing is placed at workers of this node until it is back; told within the router's own node.
   */
  record NodeUnreachable(Address node) implements RouterCommand {}

  /** The node is back, or gone for good. */
  record NodeReachable(Address node) implements RouterCommand {}
}
