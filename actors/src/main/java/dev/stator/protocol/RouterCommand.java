package dev.stator.protocol;

import dev.stator.engine.RequestId;

/** To a model's router. */
public sealed interface RouterCommand extends ClusterMessage
    permits Place,
        RouterCommand.PrefillFinished,
        RouterCommand.Ended,
        WorkerUp,
        WorkerReport,
        KvBatch,
        KvDumpPart {
  /** The first token of a placed request is there. */
  record PrefillFinished(RequestId id, int attempt) implements RouterCommand {}

  /** A placed request does not run at its worker any more. */
  record Ended(RequestId id, int attempt) implements RouterCommand {}
}
