package dev.stator.engine;

import java.util.List;

/**
 * The device (or the engine itself) failed in a step. The step's sequences have ended, in whatever
 * state, and their blocks are free; blocks that were full before the step stay findable. All other
 * sequences are untouched, so the engine can go on: whether the device can be trusted is the
 * caller's to decide.
 */
public final class EngineFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient List<RequestId> failedIds;

  EngineFailure(List<RequestId> failedIds, Throwable cause) {
    super("a step of " + failedIds.size() + " sequences failed: " + cause, cause);
    this.failedIds = List.copyOf(failedIds);
  }

  /** The sequences that have ended. */
  public List<RequestId> failedIds() {
    return failedIds;
  }
}
