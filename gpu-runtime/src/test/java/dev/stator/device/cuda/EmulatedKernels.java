package dev.stator.device.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.nio.file.Path;
import java.util.function.Function;

/** The kernels as a host library, whose functions see device memory as their own. */
final class EmulatedKernels implements AutoCloseable {
  private static final FunctionDescriptor LAUNCH =
      FunctionDescriptor.of(
          JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS);

  private final Arena arena = Arena.ofShared();
  private final MethodHandle launch;
  private final MethodHandle error;
  private final MethodHandle lacks; // Where the library cannot say, launches do.
  private final MethodHandle paramsBytes; // 0 where it cannot say.
  private final MethodHandle memory; // Does nothing where kernels are not watched.

  /**
   * @throws IllegalArgumentException when the library cannot be loaded
   */
  @SuppressWarnings("restricted")
  EmulatedKernels(Path path) {
    final SymbolLookup library = SymbolLookup.libraryLookup(path, arena);
    final Linker linker = Linker.nativeLinker();
    launch = linker.downcallHandle(library.findOrThrow("stator_emulated_launch"), LAUNCH);
    error =
        linker.downcallHandle(
            library.findOrThrow("stator_emulated_error"), FunctionDescriptor.of(ADDRESS));
    final FunctionDescriptor question = FunctionDescriptor.of(JAVA_INT, ADDRESS);
    final Function<String, MethodHandle> optional =
        name ->
            library
                .find(name)
                .map(address -> linker.downcallHandle(address, question))
                .orElse(MethodHandles.empty(question.toMethodType()));
    lacks = optional.apply("stator_emulated_lacks");
    paramsBytes = optional.apply("stator_emulated_params_bytes");
    final FunctionDescriptor range = FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG, JAVA_INT);
    memory =
        library
            .find("stator_emulated_memory")
            .map(address -> linker.downcallHandle(address, range))
            .orElse(MethodHandles.empty(range.toMethodType()));
  }

  /** Kernels may use these bytes from now on, or no longer; they are stopped at all others. */
  void allow(long address, long bytes, boolean isThere) {
    try {
      memory.invokeExact(address, bytes, isThere ? 1 : 0);
    } catch (Throwable t) {
      throw new IllegalStateException(t);
    }
  }

  /** A kernel by its name. */
  record Named(String name, MemorySegment text) implements Driver.Kernel {}

  Named kernel(String name) {
    final Named kernel = new Named(name, arena.allocateFrom(name));
    try {
      if ((int) lacks.invokeExact(kernel.text) == 0) return kernel;
    } catch (Throwable t) {
      throw new IllegalStateException(t);
    }
    throw new CudaException("the module has no kernel " + name);
  }

  @SuppressWarnings("restricted")
  void launch(
      Named kernel, int gridX, int gridY, int threads, int sharedBytes, MemorySegment params) {
    try {
      final int bytes = (int) paramsBytes.invokeExact(kernel.text);
      if (bytes > 0 && (bytes + 7 & -8) != params.byteSize()) {
        throw new CudaException(
            "kernel %s: its parameter has %d bytes, not %d"
                .formatted(kernel.name, bytes, params.byteSize()));
      }
      final int code =
          (int) launch.invokeExact(kernel.text, gridX, gridY, 1, threads, sharedBytes, params);
      if (code == 0) return;
      final MemorySegment text = (MemorySegment) error.invokeExact();
      throw new CudaException(text.reinterpret(Long.MAX_VALUE).getString(0));
    } catch (CudaException e) {
      throw e;
    } catch (Throwable t) {
      throw new IllegalStateException(t);
    }
  }

  @Override
  public void close() {
    arena.close();
  }
}
