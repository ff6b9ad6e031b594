package dev.stator.device.cuda;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/**
 * Emulated device memory that another process can map, by a handle of as many bytes as CUDA's.
 *
 * @param bytes mapped, as long as its arena
 */
record SharedFile(String name, MemorySegment bytes) {
  private static final Path FOLDER =
      Path.of(Files.isWritable(Path.of("/dev/shm")) ? "/dev/shm" : "/tmp");
  private static final Pattern NAME = Pattern.compile("stator-emulated-[0-9a-f-]{36}");

  // As CUDA, a process does not open what is its own.
  private static final Set<String> OWN = ConcurrentHashMap.newKeySet();

  static SharedFile create(long bytes, Arena arena) {
    final String name = "stator-emulated-" + UUID.randomUUID();
    try (FileChannel file =
        FileChannel.open(
            FOLDER.resolve(name),
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE)) {
      OWN.add(name);
      return new SharedFile(name, file.map(FileChannel.MapMode.READ_WRITE, 0, bytes, arena));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  byte[] handle() {
    return Arrays.copyOf(name.getBytes(StandardCharsets.US_ASCII), Driver.IPC_HANDLE_BYTES);
  }

  /** Another process's. */
  static MemorySegment open(byte[] handle, Arena arena) {
    final String name = new String(handle, StandardCharsets.US_ASCII).replace("\0", "");
    if (!NAME.matcher(name).matches() || OWN.contains(name)) {
      arena.close();
      throw new CudaException("ipcOpen: not another process's handle");
    }
    try (FileChannel file =
        FileChannel.open(FOLDER.resolve(name), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      return file.map(FileChannel.MapMode.READ_WRITE, 0, file.size(), arena);
    } catch (IOException gone) {
      arena.close();
      throw new CudaException("ipcOpen: the memory is gone");
    }
  }

  void delete() {
    try {
      Files.deleteIfExists(FOLDER.resolve(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
