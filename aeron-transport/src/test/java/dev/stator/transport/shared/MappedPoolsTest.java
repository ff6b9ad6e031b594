package dev.stator.transport.shared;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stator.transport.SharedMemory;
import dev.stator.transport.local.SharedFolder;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MappedPoolsTest {
  private static final int BYTES = 4096;

  @TempDir Path root;
  private SharedFolder folder;
  private SharedMemory memory;
  private MappedPools pools;

  @BeforeEach
  void start() {
    folder = SharedFolder.open(root);
    memory = folder.allocate(BYTES);
    pools = new MappedPools(folder);
  }

  @AfterEach
  void stop() {
    memory.close();
    folder.close();
  }

  @Test
  void shouldMapAPoolOnceAndUnmapItWithItsLastUser() throws IOException {
    memory.segment().set(ValueLayout.JAVA_BYTE, 7, (byte) 5);
    final MappedPool first = acquire(BYTES);
    final MappedPool second = acquire(BYTES);
    assertSame(first, second);
    final MemorySegment bytes = first.slice(0, BYTES);
    pools.release(first);
    assertEquals(5, bytes.get(ValueLayout.JAVA_BYTE, 7));
    pools.release(second);
    assertThrows(IllegalStateException.class, () -> bytes.get(ValueLayout.JAVA_BYTE, 7));
  }

  @Test
  void shouldMapAgainAfterwards() throws IOException {
    final MappedPool first = acquire(BYTES);
    pools.release(first);
    final MappedPool second = acquire(BYTES);
    assertNotSame(first, second);
    pools.release(second);
  }

  @Test
  void shouldRefuseAnotherLengthThanTheFiles() throws IOException {
    final MappedPool first = acquire(BYTES);
    assertThrows(IOException.class, () -> acquire(BYTES - 1));
    pools.release(first);
  }

  private MappedPool acquire(long bytes) throws IOException {
    return pools.acquire(folder.name(), memory.file().getFileName().toString(), bytes);
  }
}
