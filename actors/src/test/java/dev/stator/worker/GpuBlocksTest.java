package dev.stator.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.device.Device;
import dev.stator.device.cuda.LendingCuda;
import dev.stator.model.LoadedModel;
import dev.stator.transport.AgentAddress;
import dev.stator.transport.BlockMemory;
import dev.stator.transport.BlockMove;
import dev.stator.transport.DeviceBackends;
import dev.stator.transport.Grant;
import dev.stator.transport.HostId;
import dev.stator.transport.TransferAgent;
import dev.stator.transport.TransferStatus;
import dev.stator.transport.WriteOutcome;
import dev.stator.transport.device.DeviceIpcBackend;
import java.io.BufferedReader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** KV blocks from one process's GPU to another's, all the way but for the control plane. */
@Timeout(120)
class GpuBlocksTest {
  @Test
  void shouldMoveComputedBlocksToAnotherProcessesGpu(@TempDir Path folder) throws Exception {
    try (LoadedModel model = LendingCuda.model();
        Device device = LendingCuda.device(model);
        DeviceIpcBackend backend = DeviceBackends.start(folder, "");
        TransferAgent agent = ReceivingGpu.agent("writer", backend)) {
      LendingCuda.compute(device);
      final BlockMemory blocks = DeviceBlocks.of(device);
      final int memoryId = agent.register(blocks);
      final Process receiver = LendingCuda.start(ReceivingGpu.class, folder.toString());
      try (BufferedReader said = receiver.inputReader()) {
        final Grant grant = grant(said.readLine(), blocks);
        final var written = new CompletableFuture<WriteOutcome>();
        agent.write(grant, memoryId, moves(), written::complete);
        assertEquals(TransferStatus.OK, written.get(30, TimeUnit.SECONDS).status());
        assertEquals("COMPLETE", said.readLine());
        for (int block : LendingCuda.COMPUTED) {
          assertEquals("" + LendingCuda.checksum(device, block), said.readLine());
        }
        receiver.outputWriter().close();
        assertTrue(receiver.waitFor(30, TimeUnit.SECONDS));
        assertEquals(0, receiver.exitValue());
      } finally {
        receiver.destroyForcibly();
      }
    }
  }

  private static List<BlockMove> moves() {
    return List.of(
        new BlockMove(LendingCuda.COMPUTED[0], ReceivingGpu.GRANTED.get(0)),
        new BlockMove(LendingCuda.COMPUTED[1], ReceivingGpu.GRANTED.get(1)));
  }

  private static Grant grant(String line, BlockMemory like) {
    final String[] words = line.split(" ");
    return new Grant(
        new AgentAddress("receiver", HostId.current(), Map.of(DeviceIpcBackend.NAME, words[0])),
        Long.parseLong(words[1]),
        Long.parseLong(words[2]),
        Long.parseLong(words[3]),
        ReceivingGpu.GRANTED,
        like.geometry(),
        Duration.ofMinutes(1));
  }
}
