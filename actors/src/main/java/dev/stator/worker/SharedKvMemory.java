package dev.stator.worker;

import dev.stator.device.KvMemory;
import dev.stator.transport.SharedMemory;
import java.lang.foreign.MemorySegment;

/** KV blocks in memory that other processes of this host can map. */
public record SharedKvMemory(SharedMemory shared) implements KvMemory {
  @Override
  public MemorySegment segment() {
    return shared.segment();
  }

  @Override
  public void close() {
    shared.close();
  }
}
