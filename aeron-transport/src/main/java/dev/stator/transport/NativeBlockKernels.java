package dev.stator.transport;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * In C: a copy takes the checksum along. Heap memory is left to Java.
 *
 * <p>Calls are plain ones, so that garbage collections wait for no block. A page that is not there
 * is caught by a handler of SIGBUS before the JVM's, which goes on getting all that is not ours.
 *
 * <p><b>Threads:</b> any. <b>Ownership:</b> a library stays loaded until the process ends.
 */
final class NativeBlockKernels implements BlockKernels {
  /** What a library is built for; the earlier, the faster. */
  enum InstructionSet {
    AVX512("AVX-512"),
    AVX2("AVX2");

    private final String title;

    InstructionSet(String title) {
      this.title = title;
    }

    String resource() {
      return "native/libstator-copy-" + name().toLowerCase(Locale.ROOT) + ".so";
    }
  }

  /** What a search for kernels found: some, or why there are none. */
  record Found(NativeBlockKernels kernels, String obstacle) {}

  private static final class Best {
    static final Found FOUND = search();

    private static Found search() {
      final List<String> obstacles = new ArrayList<>();
      for (InstructionSet instructionSet : InstructionSet.values()) {
        try {
          final Optional<NativeBlockKernels> kernels = load(instructionSet);
          if (kernels.isPresent()) return new Found(kernels.get(), null);
        } catch (IOException | IllegalArgumentException e) {
          obstacles.add(instructionSet.title + ": " + e.getMessage());
        }
      }
      if (!obstacles.isEmpty()) return new Found(null, String.join("; ", obstacles));
      return new Found(
          null, isBuilt() ? "this processor has no VPCLMULQDQ" : "this build has no C");
    }

    private static boolean isBuilt() {
      return NativeBlockKernels.class.getResource(InstructionSet.AVX2.resource()) != null;
    }
  }

  private static final FunctionDescriptor ANSWER = FunctionDescriptor.of(ValueLayout.JAVA_INT);
  private static final FunctionDescriptor CHECKSUM =
      FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG);
  private static final FunctionDescriptor COPY =
      FunctionDescriptor.of(
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG);

  private final InstructionSet instructionSet;
  private final MethodHandle checksum;
  private final MethodHandle copy;
  private final JavaBlockKernels heap = new JavaBlockKernels("");

  private NativeBlockKernels(InstructionSet instructionSet, SymbolLookup library) {
    this.instructionSet = instructionSet;
    this.checksum = handle(library, "crc32c", CHECKSUM);
    this.copy = handle(library, "copy_crc32c", COPY);
  }

  /** The fastest kernels that this build has and this processor runs. */
  static Found find() {
    return Best.FOUND;
  }

  /**
   * The kernels for an instruction set, unless this build or this processor lacks them.
   *
   * @throws IOException when the library cannot be written to the temporary folder
   * @throws IllegalArgumentException when it cannot be loaded from there
   */
  @SuppressWarnings("restricted")
  static Optional<NativeBlockKernels> load(InstructionSet instructionSet) throws IOException {
    try (InputStream resource =
        NativeBlockKernels.class.getResourceAsStream(instructionSet.resource())) {
      if (resource == null) return Optional.empty();
      final Path file = Files.createTempFile("stator-copy-", ".so");
      try {
        Files.copy(resource, file, StandardCopyOption.REPLACE_EXISTING);
        final SymbolLookup library = SymbolLookup.libraryLookup(file, Arena.global());
        if (answer(library, "supported") == 0) return Optional.empty();
        if (answer(library, "install") != 0) throw new IOException("no handler for SIGBUS");
        return Optional.of(new NativeBlockKernels(instructionSet, library));
      } finally {
        Files.delete(file);
      }
    }
  }

  private static int answer(SymbolLookup library, String name) {
    try {
      return (int) handle(library, name, ANSWER).invokeExact();
    } catch (Throwable t) {
      throw failed(t);
    }
  }

  @Override
  public String title() {
    return "native " + instructionSet.title;
  }

  @Override
  public int crc32c(MemorySegment bytes) {
    if (!bytes.isNative()) return heap.crc32c(bytes);
    requireOpen(bytes);
    try {
      return checked((long) checksum.invokeExact(bytes.address(), bytes.byteSize()));
    } catch (Throwable t) {
      throw failed(t);
    }
  }

  @Override
  public int copy(MemorySegment from, MemorySegment to) {
    if (from.byteSize() != to.byteSize() || to.isReadOnly()) {
      throw new IllegalArgumentException(from.byteSize() + " bytes to " + to);
    }
    if (!from.isNative() || !to.isNative()) return heap.copy(from, to);
    requireOpen(from);
    requireOpen(to);
    try {
      return checked((long) copy.invokeExact(to.address(), from.address(), from.byteSize()));
    } catch (Throwable t) {
      throw failed(t);
    }
  }

  private static void requireOpen(MemorySegment bytes) {
    if (!bytes.scope().isAlive()) throw new IllegalStateException("Already closed");
  }

  private static int checked(long crc) {
    if (crc < 0) throw new InternalError("a page of the block is not there");
    return (int) crc;
  }

  @SuppressWarnings("restricted")
  private static MethodHandle handle(
      SymbolLookup library, String name, FunctionDescriptor descriptor) {
    return Linker.nativeLinker().downcallHandle(library.findOrThrow("stator_" + name), descriptor);
  }

  private static RuntimeException failed(Throwable t) {
    if (t instanceof InternalError gone) throw gone;
    return new IllegalStateException("a native kernel could not be called", t);
  }
}
