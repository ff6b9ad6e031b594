package dev.stator.device;

import java.lang.foreign.MemorySegment;

/**
 * The memory of a device's KV blocks, off-heap. The device that it was made for closes it, when
 * nobody touches the blocks any more.
 *
 * <p><b>Threads:</b> any.
 */
public interface KvMemory extends AutoCloseable {
  /** Zeros at first; valid until {@link #close}. */
  MemorySegment segment();

  @Override
  void close();

  /** Where devices take their KV memory from. */
  @FunctionalInterface
  interface Allocator {
    /**
     * @throws OutOfMemoryError when there is none
     */
    KvMemory allocate(long bytes);
  }
}
