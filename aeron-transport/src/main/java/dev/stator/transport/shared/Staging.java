package dev.stator.transport.shared;

import dev.stator.transport.SharedMemory;
import dev.stator.transport.local.SharedFolder;
import java.lang.foreign.MemorySegment;
import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Room in shared memory for blocks of one length that do not lie there themselves. <b>Threads:</b>
 * any.
 */
final class Staging implements AutoCloseable {
  private static final int SLOTS_MAX = 4096;

  /** Room for one block, the taker's until freed. */
  final class Slot {
    private final MemorySegment block;
    private final AtomicBoolean taken = new AtomicBoolean();

    private Slot(MemorySegment block) {
      this.block = block;
    }

    MemorySegment block() {
      return block;
    }

    SharedMemory pool() {
      return pool;
    }

    /** Freeing it twice does no harm. */
    void free() {
      if (taken.compareAndSet(true, false)) free.add(this);
    }
  }

  private final SharedMemory pool;
  private final Queue<Slot> free;

  Staging(SharedFolder folder, long blockBytes, long bytesMax) {
    final int slotCount = Math.clamp(bytesMax / blockBytes, 1, SLOTS_MAX);
    this.pool = folder.allocate(slotCount * blockBytes);
    this.free = new ArrayBlockingQueue<>(slotCount);
    for (int i = 0; i < slotCount; i++) {
      free.add(new Slot(pool.segment().asSlice(i * blockBytes, blockBytes)));
    }
  }

  /** {@code null} when all are taken. */
  Slot take() {
    final Slot slot = free.poll();
    if (slot != null) slot.taken.set(true);
    return slot;
  }

  @Override
  public void close() {
    pool.close();
  }
}
