package dev.stator.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.transport.device.DeviceIpcBackend;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Blocks from device to device keep the contract, from one backend to another. */
class DeviceIpcBackendTest {
  private static final BlockSink SINK =
      new BlockSink() {
        @Override
        public BlockLanding begin(long grant, long high, long low, int block, long bytes) {
          throw new AssertionError("no block comes in pieces");
        }

        @Override
        public List<TransferStatus> deliverAll(List<BlockDelivery> deliveries) {
          throw new AssertionError("no block comes past the device");
        }

        @Override
        public void receive(MemorySegment message) {
          throw new AssertionError("no message comes");
        }
      };

  private abstract static class Both extends TransferBackendContract {
    @TempDir Path folder;
    BackendSelector writing;
    DistantBlocks sources;
    DistantBlocks targets;

    private static DistantBlocks lent(MemorySegment usual) {
      final var blocks = new DistantBlocks(usual, BLOCK_BYTES, 8);
      blocks.device = new FakeDevice(usual, BLOCK_BYTES);
      return blocks;
    }

    @Override
    TransferBackend backend() {
      writing = DeviceBackends.withShared(folder);
      return new SplitBackend("writer", writing, DeviceBackends.withShared(folder));
    }

    @Override
    BlockMemory sourceBlocks(MemorySegment usual) {
      sources = lent(usual);
      return sources;
    }

    @Override
    BlockMemory targetBlocks(MemorySegment usual) {
      targets = lent(usual);
      return targets;
    }

    @Override
    void closed() {
      assertEquals(0, SharedBackends.fileCount(folder));
    }
  }

  @Nested
  class FromDeviceToDevice extends Both {
    @Override
    void stopped() {
      assertEquals(0, targets.commits.get(), "blocks went through buffers");
      assertEquals(targets.device.opens.get(), targets.device.closes.get());
    }

    @Test
    void shouldOpenAWritersDeviceOnceAndNotBlocksThatItDoesNotHave() throws Exception {
      final Grant grant = grant(List.of(1, 2, 3));
      assertEquals(TransferStatus.OK, write(grant, new BlockMove(0, 1)).status());
      assertEquals(
          TransferStatus.OK, write(grant, new BlockMove(5, 2), new BlockMove(6, 3)).status());
      assertMoved(new BlockMove(0, 1), new BlockMove(5, 2), new BlockMove(6, 3));
      assertEquals(1, targets.device.opens.get());
      assertEquals(3, targets.device.pulled.get());
      assertEquals(Map.of("receiver", DeviceIpcBackend.NAME), writing.routes());
    }

    @Test
    void shouldFailTheBlocksAloneWhenTheDeviceIsBroken() throws Exception {
      final Grant grant = grant(List.of(1, 2));
      targets.device.isBroken = true;
      assertEquals(TransferStatus.FAILED, write(grant, new BlockMove(0, 1)).status());
      assertUnchanged();
      targets.device.isBroken = false;
      assertEquals(TransferStatus.OK, write(grant, new BlockMove(0, 1)).status());
    }
  }

  /** All of it goes through shared memory, which is tried next. */
  @Nested
  class FromADeviceThatTheOtherDoesNotGetAt extends Both {
    @Override
    BlockMemory targetBlocks(MemorySegment usual) {
      super.targetBlocks(usual);
      targets.device.refuses = true;
      return targets;
    }

    @Override
    void stopped() {
      assertEquals(0, targets.device.pulled.get() + targets.device.closes.get());
      assertEquals(0, sources.held() + targets.held(), "buffers are lost");
    }

    @Test
    void shouldBeRefusedOnceAndGoTheNextWay() throws Exception {
      final Grant grant = grant(List.of(1, 2, 3, 4));
      assertEquals(
          TransferStatus.OK, write(grant, new BlockMove(0, 1), new BlockMove(7, 3)).status());
      assertEquals(TransferStatus.OK, write(grant, new BlockMove(4, 2)).status());
      assertMoved(new BlockMove(0, 1), new BlockMove(7, 3), new BlockMove(4, 2));
      assertEquals(1, targets.device.opens.get());
      assertEquals(3, targets.commits.get());
      assertEquals(Map.of("receiver", "shared"), writing.routes());
    }
  }

  @Nested
  class IntoMemoryOfNoDevice extends Both {
    @Override
    BlockMemory targetBlocks(MemorySegment usual) {
      super.targetBlocks(usual);
      targets.device = null;
      return targets;
    }
  }

  @Nested
  class OutOfMemoryOfNoDevice extends Both {
    @Override
    BlockMemory sourceBlocks(MemorySegment usual) {
      super.sourceBlocks(usual);
      sources.device = null;
      return sources;
    }

    @Test
    void shouldNotTryIt() throws Exception {
      assertEquals(TransferStatus.OK, write(grant(List.of(1)), new BlockMove(0, 1)).status());
      assertEquals(Map.of("receiver", "shared"), writing.routes());
      assertEquals(0, targets.device.opens.get());
    }
  }

  @Test
  void shouldReachOtherProcessesFromDevicesAlone(@TempDir Path folder) {
    try (DeviceIpcBackend backend = DeviceBackends.start(folder, "")) {
      final LentPool pool = LentPool.of(new FakeDevice(MemorySegment.NULL, 1));
      final AgentAddress itself = address(backend.attach("agent", SINK));
      final AgentAddress there;
      try (DeviceIpcBackend other = DeviceBackends.start(folder, "")) {
        there = address(other.attach("agent", SINK));
        assertEquals(Set.of(DeviceIpcBackend.NAME), there.endpoints().keySet());
        assertTrue(backend.reaches(there, pool));
        assertTrue(!backend.reaches(there) && !backend.reaches(itself, pool));
        assertTrue(!backend.send(there, MemorySegment.NULL));
      }
      assertTrue(!backend.reaches(there, pool));
    }
  }

  private static AgentAddress address(Map<String, String> endpoints) {
    return new AgentAddress("agent", HostId.current(), endpoints);
  }
}
