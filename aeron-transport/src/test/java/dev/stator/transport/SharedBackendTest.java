package dev.stator.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stator.transport.shared.SharedBackend;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.io.TempDir;

/**
 * Shared memory keeps the contract, from one backend to another, whose files are gone at the end.
 */
class SharedBackendTest {
  @Nested
  class FromMemoryOfItsOwn extends TransferBackendContract {
    @TempDir Path folder;
    private SharedBackend writer;
    private SharedMemory pool;

    @Override
    TransferBackend backend() {
      writer = SharedBackends.start(folder, "");
      return new SplitBackend("writer", writer, SharedBackends.start(folder, ""));
    }

    @Override
    BlockMemory sourceBlocks(MemorySegment usual) {
      pool = writer.allocate(usual.byteSize());
      return BlockMemory.of(pool, new BlockGeometry(BLOCK_BYTES, BlockGeometry.PLAIN));
    }

    @Override
    void stopped() {
      pool.close();
    }

    @Override
    void closed() {
      assertEquals(0, SharedBackends.fileCount(folder));
    }
  }

  @Nested
  class FromOtherMemory extends TransferBackendContract {
    @TempDir Path folder;

    @Override
    TransferBackend backend() {
      return new SplitBackend(
          "writer", SharedBackends.start(folder, ""), SharedBackends.start(folder, ""));
    }

    @Override
    void closed() {
      assertEquals(0, SharedBackends.fileCount(folder));
    }
  }

  @Nested
  class ByJava extends TransferBackendContract {
    @TempDir Path folder;

    @Override
    TransferBackend backend() {
      return new SplitBackend("writer", byJava(), byJava());
    }

    private SharedBackend byJava() {
      return SharedBackend.start(SharedBackends.settings(folder, "", "java"));
    }

    @Override
    TransferSettings agentSettings() {
      return BY_JAVA;
    }
  }

  @Nested
  class WithinOneProcess extends TransferBackendContract {
    @TempDir Path folder;

    @Override
    TransferBackend backend() {
      return SharedBackends.start(folder, "threads = 1");
    }
  }
}
