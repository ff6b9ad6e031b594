package dev.stator.transport.shared;

import dev.stator.transport.local.SharedFolder;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;

/**
 * Another process's pool, mapped to be read.
 *
 * <p><b>Threads:</b> any. The last who has {@link #enter entered} unmaps what is closed meanwhile.
 */
final class MappedPool implements AutoCloseable {
  private final Arena arena;
  private final MemorySegment bytes;

  // Guarded by this.
  private int readers;
  private boolean closed;

  private MappedPool(Arena arena, MemorySegment bytes) {
    this.arena = arena;
    this.bytes = bytes;
  }

  static MappedPool map(SharedFolder folder, String owner, String name, long length)
      throws IOException {
    final Arena arena = Arena.ofShared();
    try (FileChannel file = folder.openPool(owner, name, length)) {
      return new MappedPool(arena, file.map(FileChannel.MapMode.READ_ONLY, 0, length, arena));
    } catch (Throwable broken) {
      arena.close();
      throw broken;
    }
  }

  /** {@code null} when it does not lie within. */
  MemorySegment slice(long offset, long length) {
    if (offset < 0 || length <= 0 || offset > bytes.byteSize() - length) return null;
    return bytes.asSlice(offset, length);
  }

  /** Keeps it mapped until {@link #leave}; {@code false} when it is closed. */
  synchronized boolean enter() {
    if (!closed) readers++;
    return !closed;
  }

  synchronized void leave() {
    if (--readers == 0 && closed) arena.close();
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (readers == 0) arena.close();
  }
}
