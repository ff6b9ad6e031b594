package dev.stator.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.stator.transport.file.FileBackend;
import dev.stator.transport.file.FileSettings;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.io.TempDir;

/** Files keep the contract, and are gone at the end. */
class FileBackendTest {
  static FileSettings settings(Path folder) {
    return new FileSettings(
        folder, Duration.ofMillis(1), Duration.ofMillis(5), 64, Duration.ofMinutes(1));
  }

  @Nested
  class BetweenTwo extends TransferBackendContract {
    @TempDir Path folder;

    @Override
    TransferBackend backend() {
      return new SplitBackend(
          "writer", FileBackend.start(settings(folder)), FileBackend.start(settings(folder)));
    }

    @Override
    void closed() {
      assertEquals(0, SharedBackends.fileCount(folder));
    }
  }

  @Nested
  class WithinOneProcess extends TransferBackendContract {
    @TempDir Path folder;

    @Override
    TransferBackend backend() {
      return FileBackend.start(settings(folder));
    }
  }
}
