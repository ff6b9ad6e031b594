package dev.stator.transport;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.UUID;

/**
 * Memory that other processes of the same user can map by its file's name. The name cannot be
 * guessed, the file is its owner's alone, and goes when this is closed.
 *
 * <p><b>Threads:</b> any; nobody touches the segment after {@link #close}.
 */
public final class SharedMemory implements AutoCloseable {
  private static final Set<StandardOpenOption> NEW_FILE =
      Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);

  private final Path file;
  private final Arena arena;
  private final MemorySegment segment;
  private final CloseListeners<Runnable> listeners = new CloseListeners<>();

  private SharedMemory(Path file, Arena arena, MemorySegment segment) {
    this.file = file;
    this.arena = arena;
    this.segment = segment;
  }

  /**
   * Zeros, in a new file of the folder, which may be missing. Pages are taken as they are touched.
   *
   * @param folder on a file system in memory, such as one below {@code /dev/shm}
   * @throws UncheckedIOException when the folder cannot hold the file
   */
  public static SharedMemory allocate(Path folder, long bytes) {
    if (bytes <= 0) throw new IllegalArgumentException("bytes must be positive: " + bytes);
    try {
      Files.createDirectories(
          folder,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      return create(folder.toRealPath().resolve(UUID.randomUUID() + ".kv"), bytes);
    } catch (IOException broken) {
      throw new UncheckedIOException("no shared memory in " + folder, broken);
    }
  }

  private static SharedMemory create(Path file, long bytes) throws IOException {
    final Arena arena = Arena.ofShared();
    try (FileChannel channel =
        FileChannel.open(
            file,
            NEW_FILE,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
      return new SharedMemory(
          file, arena, channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes, arena));
    } catch (Throwable broken) {
      arena.close();
      Files.deleteIfExists(file);
      throw broken;
    }
  }

  public Path file() {
    return file;
  }

  /** All of it; valid until {@link #close}. */
  public MemorySegment segment() {
    return segment;
  }

  /** Calls this when the memory is about to go; at once when it has gone. */
  public void onClose(Runnable listener) {
    if (!listeners.add(listener)) listener.run();
  }

  /** Takes back {@link #onClose}; does nothing for who has not been listening. */
  public void removeOnClose(Runnable listener) {
    listeners.remove(listener);
  }

  /** Unmaps it and deletes the file. Who has mapped it goes on seeing the bytes. */
  @Override
  public void close() {
    listeners.close().forEach(Runnable::run);
    arena.close();
    try {
      Files.deleteIfExists(file);
    } catch (IOException broken) {
      throw new UncheckedIOException("cannot delete " + file, broken);
    }
  }
}
