package dev.stator.transport.shared;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;

/**
 * Another process's pool, mapped to be read. <b>Threads:</b> any; a read during {@link #close}
 * throws.
 */
final class MappedPool implements AutoCloseable {
  private final Arena arena;
  private final MemorySegment bytes;

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

  @Override
  public void close() {
    arena.close();
  }
}
