package dev.stator.engine;

import java.util.List;

/**
 * The device (or the engine itself) failed in a step. The step's answers have ended and their
 * blocks are free; blocks that were full before the step stay findable. The step's prefills are
 * computed no further, but hold all their blocks, which somebody may be reading, until {@link
 * Engine#release} or {@link Engine#cancel}: their owner must call one of them. All other sequences
 * are untouched, so the engine can go on: whether the device can be trusted is the caller's to
 * decide.
 */
public final class EngineFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient List<RequestId> failedIds;

  EngineFailure(List<RequestId> failedIds, Throwable cause) {
    super("a step of " + failedIds.size() + " sequences failed: " + cause, cause);
    this.failedIds = List.copyOf(failedIds);
  }

  /** The sequences of the step: answers that have ended, prefills that wait for their release. */
  public List<RequestId> failedIds() {
    return failedIds;
  }
}
