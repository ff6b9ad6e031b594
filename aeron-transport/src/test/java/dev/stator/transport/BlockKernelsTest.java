package dev.stator.transport;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.stator.transport.NativeBlockKernels.InstructionSet;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.ThrowingConsumer;
import org.junit.jupiter.api.io.TempDir;

/** Every kernel that runs here, against the JDK's CRC32C. */
class BlockKernelsTest {
  private static final int LENGTH_MAX = 3000; // A dozen of the native kernels' steps.
  private static final int ALIGNMENT_MAX = 64;
  private static final int MARGIN = 16;
  private static final int LARGE_BYTES = 4 << 20;

  @TempDir Path folder;

  @TestFactory
  Stream<DynamicTest> shouldTakeTheSameChecksumsWhateverLengthAndAlignment() {
    return each(kernels -> {
      final Random random = new Random(1);
      try (Arena arena = Arena.ofConfined()) {
        final MemorySegment memory = arena.allocate(LENGTH_MAX + ALIGNMENT_MAX, 64);
        for (int length = 0; length < LENGTH_MAX; length += length < 600 ? 1 : 97) {
          fill(memory, random);
          final var bytes = memory.asSlice(random.nextInt(ALIGNMENT_MAX), length);
          assertEquals(expected(bytes), kernels.crc32c(bytes), "length " + length);
        }
      }
    });
  }

  @TestFactory
  Stream<DynamicTest> shouldCopyThatAndNothingElse() {
    return each(kernels -> {
      final Random random = new Random(2);
      try (Arena arena = Arena.ofConfined()) {
        final MemorySegment from = arena.allocate(LENGTH_MAX + ALIGNMENT_MAX, 64);
        final MemorySegment to = arena.allocate(LENGTH_MAX + ALIGNMENT_MAX + 2 * MARGIN, 64);
        for (int length = 0; length < LENGTH_MAX; length += length < 600 ? 1 : 97) {
          fill(from, random);
          fill(to, random);
          final byte[] wanted = to.toArray(ValueLayout.JAVA_BYTE);
          final int at = MARGIN + random.nextInt(ALIGNMENT_MAX);
          final var bytes = from.asSlice(random.nextInt(ALIGNMENT_MAX), length);
          MemorySegment.copy(bytes, 0, MemorySegment.ofArray(wanted), at, length);
          assertEquals(expected(bytes), kernels.copy(bytes, to.asSlice(at, length)));
          assertArrayEquals(wanted, to.toArray(ValueLayout.JAVA_BYTE), "length " + length);
        }
      }
    });
  }

  @TestFactory
  Stream<DynamicTest> shouldCopyWhatIsLongAtAnyAlignment() {
    return each(kernels -> {
      try (Arena arena = Arena.ofConfined()) {
        final MemorySegment from = arena.allocate(LARGE_BYTES, 64);
        final MemorySegment to = arena.allocate(LARGE_BYTES + ALIGNMENT_MAX, 64);
        fill(from, new Random(5));
        for (int at : new int[] {0, 1, 32, 48}) {
          for (int length : new int[] {16_384, 65_536, LARGE_BYTES - 3}) {
            to.fill((byte) 0);
            final MemorySegment bytes = from.asSlice(0, length);
            assertEquals(expected(bytes), kernels.copy(bytes, to.asSlice(at, length)));
            assertEquals(-1, bytes.mismatch(to.asSlice(at, length)));
            assertEquals(0, to.get(ValueLayout.JAVA_BYTE, at + length));
          }
        }
      }
    });
  }

  @TestFactory
  Stream<DynamicTest> shouldTakeHeapMemoryToo() {
    return each(kernels -> {
      final byte[] bytes = new byte[LENGTH_MAX];
      new Random(3).nextBytes(bytes);
      final MemorySegment heap = MemorySegment.ofArray(bytes);
      try (Arena arena = Arena.ofConfined()) {
        final MemorySegment copied = arena.allocate(LENGTH_MAX);
        assertEquals(expected(heap), kernels.crc32c(heap));
        assertEquals(expected(heap), kernels.copy(heap, copied));
        assertEquals(-1, heap.mismatch(copied));
      }
    });
  }

  @TestFactory
  Stream<DynamicTest> shouldSurvivePagesThatAreGone() {
    return each(kernels -> {
      final Path file = folder.resolve("pool");
      try (Arena arena = Arena.ofShared();
          FileChannel channel =
              FileChannel.open(
                  file,
                  StandardOpenOption.CREATE,
                  StandardOpenOption.READ,
                  StandardOpenOption.WRITE)) {
        final MemorySegment mapped =
            channel.map(FileChannel.MapMode.READ_WRITE, 0, LARGE_BYTES, arena);
        final MemorySegment own = arena.allocate(LARGE_BYTES);
        fill(mapped, new Random(4));
        final int whole = kernels.copy(mapped, own);
        channel.truncate(LARGE_BYTES / 2);
        for (int i = 0; i < 3; i++) {
          assertThrows(InternalError.class, () -> kernels.copy(mapped, own));
          assertThrows(InternalError.class, () -> kernels.copy(own, mapped));
        }
        assertEquals(whole, kernels.crc32c(own));
        if (kernels instanceof NativeBlockKernels) {
          assertThrows(InternalError.class, () -> kernels.crc32c(mapped));
        }
        assertThrows( // The JVM still gets its own.
            InternalError.class, () -> own.copyFrom(mapped));
      } finally {
        Files.delete(file);
      }
    });
  }

  @TestFactory
  Stream<DynamicTest> shouldRefuseClosedOrReadOnlyMemory() {
    return each(kernels -> {
      try (Arena arena = Arena.ofConfined()) {
        final MemorySegment open = arena.allocate(LENGTH_MAX);
        final MemorySegment closed;
        try (Arena shortLived = Arena.ofShared()) {
          closed = shortLived.allocate(LENGTH_MAX);
        }
        assertThrows(IllegalStateException.class, () -> kernels.copy(closed, open));
        assertThrows(IllegalArgumentException.class, () -> kernels.copy(open, open.asReadOnly()));
        assertThrows(RuntimeException.class, () -> kernels.copy(open, open.asSlice(1)));
      }
    });
  }

  @Test
  void shouldRunWhatIsConfigured() {
    assertEquals(BlockKernels.best(), configured("auto"));
    assertEquals("Java", configured("java").title());
    assertThrows(IllegalArgumentException.class, () -> configured("fast"));
    if (NativeBlockKernels.find().kernels() == null) {
      assertThrows(IllegalArgumentException.class, () -> configured("native"));
      assertFalse(BlockKernels.best().title().equals("Java"), "says why");
    } else {
      assertTrue(configured("native").title().startsWith("native"));
    }
  }

  private static BlockKernels configured(String name) {
    return BlockKernels.from(ConfigFactory.parseString("kernels = " + name));
  }

  private static Stream<DynamicTest> each(ThrowingConsumer<BlockKernels> test)
      throws AssertionError {
    final List<DynamicTest> tests = new ArrayList<>();
    tests.add(DynamicTest.dynamicTest("Java", () -> test.accept(new JavaBlockKernels(""))));
    for (InstructionSet instructionSet : InstructionSet.values()) {
      tests.add(
          DynamicTest.dynamicTest(
              instructionSet.name(), () -> test.accept(loaded(instructionSet))));
    }
    return tests.stream();
  }

  private static BlockKernels loaded(InstructionSet instructionSet) throws IOException {
    final var kernels = NativeBlockKernels.load(instructionSet);
    Assumptions.assumeTrue(kernels.isPresent(), "needs native kernels for " + instructionSet);
    return kernels.get();
  }

  private static void fill(MemorySegment memory, Random random) {
    final byte[] bytes = new byte[Math.toIntExact(memory.byteSize())];
    random.nextBytes(bytes);
    memory.copyFrom(MemorySegment.ofArray(bytes));
  }

  private static int expected(MemorySegment bytes) {
    final CRC32C crc = new CRC32C();
    crc.update(bytes.toArray(ValueLayout.JAVA_BYTE));
    return (int) crc.getValue();
  }
}
