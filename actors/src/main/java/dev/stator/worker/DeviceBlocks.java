package dev.stator.worker;

import dev.stator.device.BlockCopies;
import dev.stator.device.Device;
import dev.stator.transport.BlockDraft;
import dev.stator.transport.BlockGeometry;
import dev.stator.transport.BlockMemory;
import dev.stator.transport.DevicePool;
import dev.stator.transport.DirectBlocks;
import dev.stator.transport.HeldBlock;
import dev.stator.transport.SharedMemory;
import dev.stator.transport.StraightCopies;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** A device's KV blocks as transfers see them. <b>Threads:</b> any. */
final class DeviceBlocks {
  private DeviceBlocks() {}

  /** In their place where the CPU addresses them, else through the device's copies. */
  static BlockMemory of(Device device) {
    return device.blockCopies() == null
        ? new InPlace(device)
        : new Copied(device, device.blockCopies());
  }

  private static BlockGeometry geometryOf(Device device) {
    return new BlockGeometry(device.kvLayout().blockBytes(), device.kvLayout().toString());
  }

  private record InPlace(Device device) implements DirectBlocks {
    @Override
    public int blockCount() {
      return device.blockCount();
    }

    @Override
    public BlockGeometry geometry() {
      return geometryOf(device);
    }

    @Override
    public MemorySegment block(int blockIndex) {
      return device.block(blockIndex);
    }

    @Override
    public Optional<SharedMemory> shared() {
      return device.kvMemory() instanceof SharedKvMemory memory
          ? Optional.of(memory.shared())
          : Optional.empty();
    }
  }

  private record Copied(Device device, BlockCopies copies) implements BlockMemory {
    @Override
    public int blockCount() {
      return device.blockCount();
    }

    @Override
    public BlockGeometry geometry() {
      return geometryOf(device);
    }

    @Override
    public HeldBlock read(int blockIndex) {
      final Copy copy = draft(blockIndex);
      if (copy == null) return null;
      try {
        copies.read(blockIndex, copy.bytes);
        return copy;
      } catch (RuntimeException broken) {
        copy.close();
        throw broken;
      }
    }

    @Override
    public Optional<StraightCopies> straight() {
      return Optional.of((block, target, targetBlock) ->
          target instanceof Copied(Device any, BlockCopies others)
              && copies.copyTo(block, others, targetBlock));
    }

    @Override
    public Optional<DevicePool> devicePool() {
      return Optional.of(new Pool(copies));
    }

    @Override
    public Copy draft(int blockIndex) {
      final MemorySegment buffer = copies.take();
      return buffer == null ? null : new Copy(copies, blockIndex, buffer);
    }
  }

  /** What other processes of the host get at, and what gets at theirs. */
  private record Pool(BlockCopies copies) implements DevicePool {
    @Override
    public byte[] handle() {
      return copies.handle();
    }

    @Override
    public Source open(byte[] handle) {
      final BlockCopies.PeerBlocks peer = copies.open(handle);
      return peer == null ? null : new Peer(peer);
    }
  }

  private record Peer(BlockCopies.PeerBlocks blocks) implements DevicePool.Source {
    @Override
    public int blockCount() {
      return blocks.blockCount();
    }

    @Override
    public void pull(int[] sources, int[] targets) {
      blocks.pull(sources, targets);
    }

    @Override
    public void close() {
      blocks.close();
    }
  }

  private record Copy(BlockCopies copies, int blockIndex, MemorySegment bytes)
      implements BlockDraft {
    @Override
    public void commit() {
      copies.write(blockIndex, bytes);
    }

    @Override
    public void close() {
      copies.give(bytes);
    }
  }
}
