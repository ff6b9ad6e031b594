package dev.stator.transport;

import dev.stator.transport.file.FileBackend;
import java.nio.file.Path;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.io.TempDir;

/** Every backend moves blocks that the CPU does not address. */
class DistantBlocksTest {
  @Nested
  class InProcess extends DistantBlocksContract {
    @Override
    TransferBackend backend() {
      return InProcessBackend.create(SETTINGS);
    }
  }

  @Nested
  class Shared extends DistantBlocksContract {
    @TempDir Path folder;

    @Override
    TransferBackend backend() {
      return new SplitBackend(
          "writer", SharedBackends.start(folder, ""), SharedBackends.start(folder, ""));
    }
  }

  @Nested
  class AeronIpc extends DistantBlocksContract {
    @Override
    TransferBackend backend() {
      return new SplitBackend("writer", AeronTransports.ipc(), AeronTransports.ipc());
    }
  }

  @Nested
  class AeronUdp extends DistantBlocksContract {
    @Override
    TransferBackend backend() {
      return new SplitBackend("writer", AeronTransports.udp(), AeronTransports.udp());
    }
  }

  @Nested
  class File extends DistantBlocksContract {
    @TempDir Path folder;

    @Override
    TransferBackend backend() {
      return new SplitBackend(
          "writer",
          FileBackend.start(FileBackendTest.settings(folder)),
          FileBackend.start(FileBackendTest.settings(folder)));
    }
  }
}
