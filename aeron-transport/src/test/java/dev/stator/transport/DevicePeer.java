package dev.stator.transport;

import java.io.IOException;
import java.nio.file.Path;
import java.util.SplittableRandom;

/** A process whose blocks lie in a device, told what to do as {@link SharedPeer} is. */
final class DevicePeer {
  private DevicePeer() {}

  /** A device whose blocks other processes get at. */
  static LentBlocks blocks(SharedMemory pool) {
    return new LentBlocks(
        pool.segment(),
        SharedPeer.GEOMETRY,
        new FakeDevice(pool.segment(), SharedPeer.BLOCK_BYTES, pool.file()));
  }

  /** Arguments: the folder, one for devices, the blocks' seed. */
  public static void main(String[] arguments) throws IOException {
    final long bytes = (long) SharedPeer.BLOCKS * SharedPeer.BLOCK_BYTES;
    final SharedMemory pool = SharedMemory.allocate(Path.of(arguments[1]), bytes);
    SharedPeer.fill(pool.segment(), Long.parseLong(arguments[2]));
    final var agent =
        new TransferAgent(
            "peer",
            SharedPeer.SETTINGS,
            DeviceBackends.start(Path.of(arguments[0]), ""),
            System::nanoTime,
            new SplittableRandom(7));
    SharedPeer.serve(agent, agent.register(blocks(pool)));
  }
}
