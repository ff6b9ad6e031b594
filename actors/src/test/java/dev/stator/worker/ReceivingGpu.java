package dev.stator.worker;

import com.typesafe.config.ConfigFactory;
import dev.stator.device.Device;
import dev.stator.device.cuda.LendingCuda;
import dev.stator.model.LoadedModel;
import dev.stator.transport.DeviceBackends;
import dev.stator.transport.Grant;
import dev.stator.transport.GrantOutcome;
import dev.stator.transport.TransferAgent;
import dev.stator.transport.TransferSettings;
import dev.stator.transport.device.DeviceIpcBackend;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;

/** A process whose device's blocks another one's write: {@link GpuBlocksTest}. */
final class ReceivingGpu {
  static final List<Integer> GRANTED = List.of(1, 6);

  private ReceivingGpu() {}

  static TransferAgent agent(String name, DeviceIpcBackend backend) {
    final var config = ConfigFactory.load().getConfig("stator.transport");
    return new TransferAgent(
        name, TransferSettings.from(config), backend, System::nanoTime, new Random(2));
  }

  /**
   * Prints a grant, and when it has ended the checksums of its blocks as they lie on the device.
   *
   * @param args the folder that both share
   */
  public static void main(String[] args) throws IOException {
    try (LoadedModel model = LendingCuda.model();
        Device device = LendingCuda.device(model);
        DeviceIpcBackend backend = DeviceBackends.start(Path.of(args[0]), "");
        TransferAgent agent = agent("receiver", backend)) {
      final int memoryId = agent.register(DeviceBlocks.of(device));
      final var ended = new CompletableFuture<GrantOutcome>();
      final Grant grant =
          agent.grant(memoryId, GRANTED, Duration.ofMinutes(1), ended::complete).orElseThrow();
      System.out.printf(
          "%s %d %d %d%n",
          grant.agent().endpoints().get(DeviceIpcBackend.NAME),
          grant.id(),
          grant.keyHigh(),
          grant.keyLow());
      System.out.println(ended.join().ending());
      for (int block : GRANTED) System.out.println(LendingCuda.checksum(device, block));
      if (System.in.read() >= 0) throw new IllegalStateException("expected an end");
    }
  }
}
