package dev.stator.device.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The kernels' machine code for several kinds of GPU in one file, a resource of this package. */
final class Fatbin {
  private static final String RESOURCE = "stator.fatbin";
  private static final long ALIGNMENT = 64;

  private Fatbin() {}

  /** False when there was no nvcc where this was built. */
  static boolean isThere() {
    return Fatbin.class.getResource(RESOURCE) != null;
  }

  /** Off the heap, as long as {@code arena}. */
  static MemorySegment read(Arena arena) {
    try (InputStream resource = Fatbin.class.getResourceAsStream(RESOURCE)) {
      if (resource == null) throw new CudaException("this build has no " + RESOURCE);
      final byte[] bytes = resource.readAllBytes();
      return arena.allocate(bytes.length, ALIGNMENT).copyFrom(MemorySegment.ofArray(bytes));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
