package dev.stator.transport;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The sources of several writes, read together, because entering their memory for each of them
 * makes threads wait for each other: {@link BlockWrite#acquire} and {@link BlockWrite#release} of
 * all. <b>Threads:</b> one.
 */
public final class SourceBlocks implements AutoCloseable {
  private final List<BlockWrite> writes;
  private final boolean[] isRead; // By the writes' positions, as below.
  private final long[] stamps; // At the first of those in a row that are of one memory.
  private BlockWrite held; // Whose bytes were asked for last.

  private SourceBlocks(List<BlockWrite> writes) {
    this.writes = writes;
    this.isRead = new boolean[writes.size()];
    this.stamps = new long[writes.size()];
  }

  /** Begins to read all that may be read, until {@link #close}. */
  public static SourceBlocks acquire(List<BlockWrite> writes) {
    final SourceBlocks all = new SourceBlocks(writes);
    RegisteredMemory entered = null;
    boolean isOpen = false;
    for (int i = 0; i < all.isRead.length; i++) {
      final BlockWrite write = writes.get(i);
      if (write.memory() != entered) {
        entered = write.memory();
        all.stamps[i] = entered.enter();
        isOpen = all.stamps[i] != 0;
      }
      all.isRead[i] = isOpen && write.beginRead();
    }
    return all;
  }

  /**
   * The bytes of one, until another's are asked for: a copy of each would take too much room.
   * {@code null} when it has been withdrawn, is being read already, or was pushed back because
   * nothing more can be held.
   */
  public MemorySegment block(int i) {
    if (!isRead[i]) return null;
    final BlockWrite write = writes.get(i);
    if (held != null && held != write) held.letGo();
    held = write;
    return write.hold();
  }

  /** Every write is let go, even if telling the end of one throws. */
  @Override
  public void close() {
    if (held != null) held.letGo();
    for (int i = 0; i < stamps.length; i++) {
      if (stamps[i] != 0) writes.get(i).memory().leave(stamps[i]);
    }
    endFrom(0);
  }

  private void endFrom(int first) {
    int i = first;
    try {
      for (; i < isRead.length; i++) if (isRead[i]) writes.get(i).endRead(false);
    } finally {
      if (i < isRead.length) endFrom(i + 1);
    }
  }
}
