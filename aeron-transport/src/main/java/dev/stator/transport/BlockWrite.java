package dev.stator.transport;

import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/**
 * One block on its way, as a backend sees it.
 *
 * <pre>
 *   WAITING --acquire--&gt; READING --release--&gt; WAITING
 *   WAITING | READING --complete--&gt; ENDED    (told when nobody reads)
 * </pre>
 *
 * <b>Threads:</b> any.
 */
public final class BlockWrite {
  private final Grant grant;
  private final int targetBlock;
  private final RegisteredMemory memory;
  private final int sourceBlock;
  private final Consumer<TransferStatus> onEnd;

  // Guarded by this.
  private long stamp;
  private TransferStatus status;
  private boolean told;

  BlockWrite(
      Grant grant,
      int targetBlock,
      RegisteredMemory memory,
      int sourceBlock,
      Consumer<TransferStatus> onEnd) {
    this.grant = grant;
    this.targetBlock = targetBlock;
    this.memory = memory;
    this.sourceBlock = sourceBlock;
    this.onEnd = onEnd;
  }

  public Grant grant() {
    return grant;
  }

  public int targetBlock() {
    return targetBlock;
  }

  int sourceBlock() {
    return sourceBlock;
  }

  /**
   * The source's bytes, to be read until {@link #release}; {@code null} when the write has been
   * withdrawn, or is being read already.
   */
  public synchronized MemorySegment acquire() {
    if (status != null || stamp != 0) return null;
    stamp = memory.enter();
    if (stamp == 0) return null;
    try {
      return memory.block(sourceBlock);
    } catch (Throwable broken) {
      memory.leave(stamp);
      stamp = 0;
      throw broken;
    }
  }

  /** Ends what {@link #acquire} began. */
  public void release() {
    synchronized (this) {
      memory.leave(stamp);
      stamp = 0;
    }
    tellWhenOver();
  }

  /** Ends the write; the first ending counts. */
  public void complete(TransferStatus ending) {
    synchronized (this) {
      if (status == null) status = ending;
    }
    tellWhenOver();
  }

  private void tellWhenOver() {
    synchronized (this) {
      if (told || status == null || stamp != 0) return;
      told = true;
    }
    onEnd.accept(status);
  }
}
