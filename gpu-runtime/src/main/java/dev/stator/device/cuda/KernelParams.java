package dev.stator.device.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Writes a kernel's one parameter, a C struct of {@code params.h}, member by member in its order,
 * each at its natural alignment. <b>Threads:</b> one.
 */
final class KernelParams {
  private static final int BYTES_MAX = 512;

  private final MemorySegment segment;
  private long end;

  /** The struct lives as long as {@code arena}. */
  KernelParams(Arena arena) {
    segment = arena.allocate(BYTES_MAX, Long.BYTES);
  }

  /** Begins anew. Nothing of the struct before stays, not even where this one has padding. */
  KernelParams reset() {
    segment.asSlice(0, end).fill((byte) 0);
    end = 0;
    return this;
  }

  /** A pointer; 0 for none. */
  KernelParams address(long value) {
    end = (end + Long.BYTES - 1) & -Long.BYTES;
    segment.set(ValueLayout.JAVA_LONG, end, value);
    end += Long.BYTES;
    return this;
  }

  KernelParams int32(int value) {
    segment.set(ValueLayout.JAVA_INT, end, value);
    end += Integer.BYTES;
    return this;
  }

  KernelParams float32(float value) {
    segment.set(ValueLayout.JAVA_FLOAT, end, value);
    end += Float.BYTES;
    return this;
  }

  /** The struct so far, padded to 8 bytes; valid until {@link #reset}. */
  MemorySegment struct() {
    return segment.asSlice(0, (end + Long.BYTES - 1) & -Long.BYTES);
  }
}
