package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** {@code small_kernels.c}, compiled for a test, and its kernels' structs. */
final class SmallKernels {
  private static final int COMPILE_SECONDS_MAX = 60;

  private SmallKernels() {}

  /** Compiles the kernels into a folder; skips the test where there is no gcc. */
  static Path compile(Path folder) throws IOException, InterruptedException {
    final Path library = folder.resolve("libsmall-kernels.so");
    gcc(folder, library, List.of("small_kernels.c"), "-O1");
    return library;
  }

  /** Compiles C sources of the test resources to a shared library. */
  static void gcc(Path folder, Path library, List<String> resources, String... flags)
      throws IOException, InterruptedException {
    final List<String> command = new ArrayList<>(List.of("gcc", "-shared", "-fPIC", "-Wall"));
    command.addAll(List.of(flags));
    command.addAll(List.of("-o", library.toString()));
    for (String resource : resources) {
      final Path source = folder.resolve(resource);
      try (InputStream in = SmallKernels.class.getResourceAsStream(resource)) {
        Files.copy(in, source);
      }
      command.add(source.toString());
    }
    final Process process = start(command);
    final String output = new String(process.getInputStream().readAllBytes());
    if (!process.waitFor(COMPILE_SECONDS_MAX, TimeUnit.SECONDS)) process.destroyForcibly();
    if (process.waitFor() != 0) throw new IOException("gcc: " + output);
  }

  private static Process start(List<String> command) {
    Process process = null;
    try {
      process = new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException e) {
      assumeTrue(false, "needs gcc: " + e.getMessage());
    }
    return process;
  }

  /** Of {@code scale_add}: to[i] = from[i] * scale + offset. */
  static MemorySegment scaleAdd(
      Arena arena, long from, long to, int count, float scale, float offset) {
    return new KernelParams(arena)
        .address(from)
        .address(to)
        .int32(count)
        .float32(scale)
        .float32(offset)
        .struct();
  }

  /** Of {@code write_ones}, which writes {@code count} bytes. */
  static MemorySegment writeOnes(Arena arena, long to, int count) {
    return new KernelParams(arena).address(to).int32(count).struct();
  }
}
