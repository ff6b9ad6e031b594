package dev.stator.transport;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * One block on its way, as a backend sees it.
 *
 * <pre>
 *   WAITING --acquire--&gt; READING --release | pause--&gt; WAITING
 *   WAITING | READING --complete--&gt; ENDED    (told when nobody reads)
 *   ENDED, unreachable, not told --rescue--&gt; WAITING    (on another way, if there is one)
 * </pre>
 *
 * The source's bytes are held from {@code acquire} to {@code release}, or to the end when they were
 * paused.
 *
 * <p><b>Threads:</b> any.
 */
public final class BlockWrite {
  private final Grant grant;
  private final int targetBlock;
  private final RegisteredMemory memory;
  private final int sourceBlock;
  private final Consumer<TransferStatus> onEnd;

  // Of who reads; while nobody does, guarded by this.
  private HeldBlock held;
  private long stamp; // While acquired.

  // Guarded by this.
  private boolean reading;
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

  /** The device that the source lies in, when other processes can get at it. */
  public Optional<LentPool> lent() {
    return Optional.ofNullable(memory.lent());
  }

  /** The source's index in the writer's memory. */
  public int sourceBlock() {
    return sourceBlock;
  }

  /**
   * Whether it has ended; what has may be dropped. The source is as it was until then: who finds
   * that it has not ended knows that.
   */
  public synchronized boolean hasEnded() {
    return status != null;
  }

  RegisteredMemory memory() {
    return memory;
  }

  /**
   * The source's bytes, to be read until {@link #release} or {@link #pause}; {@code null} when the
   * write has been withdrawn, is being read already, or was pushed back because nothing more can be
   * held.
   */
  public MemorySegment acquire() {
    if (!beginRead()) return null;
    final long entered = memory.enter();
    MemorySegment bytes = null;
    try {
      if (entered != 0) bytes = hold();
    } finally {
      if (bytes == null) {
        if (entered != 0) memory.leave(entered);
        endRead(false);
      } else {
        stamp = entered;
      }
    }
    return bytes;
  }

  /** Ends what {@link #acquire} began. */
  public void release() {
    letGo();
    memory.leave(stamp);
    endRead(false);
  }

  /**
   * As {@link #release}, but the next {@link #acquire} finds the same bytes without another copy of
   * a block that the CPU does not address: for who sends it in pieces. Such a copy is held
   * meanwhile, so who pauses goes on soon, or completes the write.
   */
  public void pause() {
    memory.leave(stamp);
    endRead(true);
  }

  /**
   * Has the block copied past the CPU, where its memory has such a way.
   *
   * @param way takes the source; tells how that ended, {@code null} when it leads nowhere
   * @return whether the write has ended so; else it is as before
   */
  boolean moveStraight(Function<StraightDelivery.Source, TransferStatus> way) {
    final Optional<StraightCopies> copies = memory.straight();
    if (copies.isEmpty() || !beginRead()) return false;
    final long entered = memory.enter();
    TransferStatus end = null;
    try {
      if (entered != 0) {
        end = way.apply((target, block) -> copies.get().copy(sourceBlock, target, block));
      }
    } finally {
      if (entered != 0) memory.leave(entered);
      if (end != null) complete(end);
      endRead(false);
    }
    return end != null;
  }

  /** The source's bytes for who reads; {@code null} when they cannot be held, and it ends. */
  MemorySegment hold() {
    if (held == null) held = memory.read(sourceBlock);
    if (held != null) return held.bytes();
    complete(TransferStatus.BACK_PRESSURED);
    return null;
  }

  /** Gives up what {@link #hold} took; for who reads. */
  void letGo() {
    final HeldBlock unused = held;
    held = null;
    if (unused != null) unused.close();
  }

  /** Whether the source may be held until {@link #endRead}, by who has entered its memory. */
  synchronized boolean beginRead() {
    if (status != null || reading) return false;
    reading = true;
    return true;
  }

  /**
   * @param holdsOn to the bytes, unless the write is over
   */
  void endRead(boolean holdsOn) {
    final BooleanSupplier way;
    synchronized (this) {
      reading = false;
      final boolean isOver = isOver();
      if (isOver || !holdsOn) letGo();
      if (!isOver) return;
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
      letGo();
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
