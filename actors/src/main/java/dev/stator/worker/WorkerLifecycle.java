package dev.stator.worker;

import dev.stator.protocol.WorkerId;
import dev.stator.protocol.WorkerRole;
import java.util.Set;

/** What a worker's keeper hears, besides its end. */
public sealed interface WorkerLifecycle {
  /** The engine is made; the worker has introduced itself. */
  record WorkerStarted(WorkerId id, Set<WorkerRole> roles) implements WorkerLifecycle {}

  /** The worker is about to end because of this. */
  record WorkerFailed(WorkerId id, String reason) implements WorkerLifecycle {}
}
