package dev.stator.transport.aeron;

import java.util.concurrent.TimeUnit;

/**
 * When acknowledgements go: each frame of them costs two processes a system call, so while more
 * blocks follow they travel together, but nobody who waits for one waits longer for that.
 *
 * <p><b>Threads:</b> the transport's.
 */
final class AnswerPace {
  static final int TOGETHER = 16;
  static final long PATIENCE_NS = TimeUnit.MICROSECONDS.toNanos(200); // What follows may not come.

  private int held;
  private boolean isUrgent;
  private boolean isTimed;
  private long heldSinceNs;

  /** A block has ended. */
  void add(boolean moreFollows) {
    held++;
    if (!moreFollows) isUrgent = true;
  }

  /** Whether they go now. */
  boolean isDue(long nowNs) {
    if (held == 0) return false;
    if (isUrgent || held >= TOGETHER) return true;
    if (!isTimed) {
      isTimed = true;
      heldSinceNs = nowNs;
    }
    return nowNs - heldSinceNs >= PATIENCE_NS;
  }

  /** All have gone. */
  void sent() {
    held = 0;
    isUrgent = false;
    isTimed = false;
  }
}
