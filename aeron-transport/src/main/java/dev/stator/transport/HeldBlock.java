package dev.stator.transport;

import java.lang.foreign.MemorySegment;

/**
 * A block's bytes for one use, where the CPU addresses them: the block itself, or a copy in a
 * buffer that the user holds until {@link #close}.
 *
 * <p><b>Threads:</b> one at a time.
 */
public interface HeldBlock extends AutoCloseable {
  /** As long as the block, off-heap, valid until {@link #close}. */
  MemorySegment bytes();

  /** Gives the bytes up, once; does no harm when the block's memory has been closed before. */
  @Override
  void close();
}
