package dev.stator.device.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Large zero-filled memory off the Java heap. On Linux it is mapped, so that pages cost nothing
 * until they are used, and huge pages are asked for; {@link Arena#allocate} would write zeros over
 * all of it at once.
 *
 * <p><b>Ownership:</b> the arena's; freed when it is closed.
 */
final class OffHeap {
  private static final int PROT_READ_WRITE = 3;
  private static final int MAP_PRIVATE_ANONYMOUS = 0x22;
  private static final int MADV_HUGEPAGE = 14;
  private static final long MAP_FAILED = -1;
  private static final long HUGE_PAGE_BYTES = 2 << 20;
  private static final int ALIGNMENT = 64;

  private OffHeap() {}

  /**
   * @throws OutOfMemoryError when there is none
   */
  static MemorySegment allocate(Arena arena, long bytes) {
    final boolean isMappable =
        System.getProperty("os.name").equals("Linux") && bytes >= HUGE_PAGE_BYTES;
    return isMappable ? map(arena, bytes) : arena.allocate(bytes, ALIGNMENT);
  }

  @SuppressWarnings("restricted")
  private static MemorySegment map(Arena arena, long bytes) {
    final long mapped = bytes + HUGE_PAGE_BYTES;
    final MemorySegment start;
    try {
      start =
          (MemorySegment)
              Calls.MMAP.invokeExact(
                  MemorySegment.NULL, mapped, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0L);
    } catch (Throwable t) {
      throw new IllegalStateException("mmap failed", t);
    }
    if (start.address() == MAP_FAILED) {
      throw new OutOfMemoryError("the system refuses " + mapped + " bytes of memory");
    }
    final MemorySegment all = start.reinterpret(mapped, arena, OffHeap::unmap);
    final long aligned = (start.address() + HUGE_PAGE_BYTES - 1) & -HUGE_PAGE_BYTES;
    final MemorySegment segment = all.asSlice(aligned - start.address(), bytes);
    try {
      final int ignored =
          (int) Calls.MADVISE.invokeExact(segment, bytes, MADV_HUGEPAGE); // Advice only.
    } catch (Throwable t) {
      throw new IllegalStateException("madvise failed", t);
    }
    return segment;
  }

  private static void unmap(MemorySegment mapped) {
    try {
      final int ignored = (int) Calls.MUNMAP.invokeExact(mapped, mapped.byteSize());
    } catch (Throwable t) {
      throw new IllegalStateException("munmap failed", t);
    }
  }

  private static final class Calls {
    private static final Linker LINKER = Linker.nativeLinker();
    static final MethodHandle MMAP =
        call(
            "mmap",
            FunctionDescriptor.of(
                ValueLayout.ADDRESS,
                ValueLayout.ADDRESS,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG));
    static final MethodHandle MADVISE =
        call(
            "madvise",
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.ADDRESS,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT));
    static final MethodHandle MUNMAP =
        call(
            "munmap",
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));

    @SuppressWarnings("restricted")
    private static MethodHandle call(String name, FunctionDescriptor descriptor) {
      return LINKER.downcallHandle(LINKER.defaultLookup().find(name).orElseThrow(), descriptor);
    }
  }
}
