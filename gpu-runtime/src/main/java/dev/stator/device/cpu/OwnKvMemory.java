package dev.stator.device.cpu;

import dev.stator.device.KvMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** KV blocks in memory that no other process sees, in huge pages where there are any. */
record OwnKvMemory(MemorySegment segment, Arena arena) implements KvMemory {
  static OwnKvMemory allocate(long bytes) {
    final Arena arena = Arena.ofShared();
    try {
      return new OwnKvMemory(OffHeap.allocate(arena, bytes), arena);
    } catch (RuntimeException | Error failure) {
      arena.close();
      throw failure;
    }
  }

  @Override
  public void close() {
    arena.close();
  }
}
