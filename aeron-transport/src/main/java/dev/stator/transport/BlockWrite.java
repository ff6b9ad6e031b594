package dev.stator.transport;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * One block on its way, as a backend sees it.
 *
 * <pre>
 *   WAITING --acquire--&gt; READING --release--&gt; WAITING
 *   WAITING | READING --complete--&gt; ENDED    (told when nobody reads)
 *   ENDED, unreachable, not told --rescue--&gt; WAITING    (on another way, if there is one)
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
  private boolean reading;
  private long stamp; // While acquired.
  private TransferStatus status;
  private boolean told;
  private BooleanSupplier rescue;

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

  /** The file that the source's bytes lie in, when other processes may map it. */
  public Optional<SharedMemory> shared() {
    return memory.shared();
  }

  int sourceBlock() {
    return sourceBlock;
  }

  /** Whether it has ended; what has may be dropped. */
  public synchronized boolean hasEnded() {
    return status != null;
  }

  RegisteredMemory memory() {
    return memory;
  }

  MemorySegment source() {
    return memory.block(sourceBlock);
  }

  /**
   * The source's bytes, to be read until {@link #release}; {@code null} when the write has been
   * withdrawn, or is being read already.
   */
  public synchronized MemorySegment acquire() {
    if (!beginRead()) return null;
    stamp = memory.enter();
    if (stamp == 0) {
      reading = false;
      return null;
    }
    try {
      return source();
    } catch (Throwable broken) {
      memory.leave(stamp);
      reading = false;
      throw broken;
    }
  }

  /** Ends what {@link #acquire} began. */
  public void release() {
    synchronized (this) {
      memory.leave(stamp);
    }
    endRead();
  }

  /** Whether the source may be read until {@link #endRead}, by who has entered its memory. */
  synchronized boolean beginRead() {
    if (status != null || reading) return false;
    reading = true;
    return true;
  }

  void endRead() {
    final BooleanSupplier way;
    synchronized (this) {
      reading = false;
      if (!isOver()) return;
      way = takeWay();
    }
    tell(way);
  }

  /** Ends the write; the first ending counts. */
  public void complete(TransferStatus ending) {
    final BooleanSupplier way;
    synchronized (this) {
      if (status == null) status = ending;
      if (!isOver()) return;
      way = takeWay();
    }
    tell(way);
  }

  /**
   * Lets a write that ends {@link TransferStatus#UNREACHABLE} be tried another way instead: once,
   * when nobody reads.
   *
   * @param way tells whether it was taken
   */
  void rescueWhenUnreachable(BooleanSupplier way) {
    synchronized (this) {
      rescue = way;
    }
  }

  /** Guarded by this. */
  private boolean isOver() {
    return !told && status != null && !reading;
  }

  /** The other way, to be tried now; {@code null} when the end is to be told. Guarded by this. */
  private BooleanSupplier takeWay() {
    final BooleanSupplier way = status == TransferStatus.UNREACHABLE ? rescue : null;
    rescue = null;
    if (way == null) told = true;
    else status = null;
    return way;
  }

  private void tell(BooleanSupplier way) {
    if (way == null) onEnd.accept(status);
    else if (!way.getAsBoolean()) complete(TransferStatus.UNREACHABLE);
  }
}
