package dev.stator.cluster;

import dev.stator.device.BlockCopies;
import dev.stator.device.Device;
import dev.stator.testing.ForwardingDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;

/** A device whose blocks are copied through a few buffers, or straight to its like, as a GPU's. */
final class DistantDevice extends ForwardingDevice implements BlockCopies {
  static final int BUFFERS = 2;

  /** What happened to blocks; any thread. */
  static final class Counts {
    /** Went in or out through a buffer. */
    final AtomicInteger copied = new AtomicInteger();

    /** Went from device to device. */
    final AtomicInteger moved = new AtomicInteger();
  }

  private final Device device;
  private final BlockingQueue<MemorySegment> free = new ArrayBlockingQueue<>(BUFFERS);
  private final Counts counts;
  private final boolean reachesOthers;

  /**
   * @param reachesOthers whether blocks can go from one such device to another
   */
  DistantDevice(Device device, Counts counts, boolean reachesOthers) {
    super(device);
    this.device = device;
    this.counts = counts;
    this.reachesOthers = reachesOthers;
    for (int i = 0; i < BUFFERS; i++) {
      free.add(Arena.ofAuto().allocate(device.kvLayout().blockBytes(), 64));
    }
  }

  @Override
  public MemorySegment block(int blockIndex) {
    throw new UnsupportedOperationException("the CPU does not address these blocks");
  }

  @Override
  public BlockCopies blockCopies() {
    return this;
  }

  @Override
  public MemorySegment take() {
    return free.poll();
  }

  @Override
  public void give(MemorySegment buffer) {
    free.add(buffer.fill((byte) -1));
  }

  @Override
  public void read(int block, MemorySegment to) {
    counts.copied.incrementAndGet();
    to.copyFrom(device.block(block));
  }

  @Override
  public void write(int block, MemorySegment from) {
    counts.copied.incrementAndGet();
    device.block(block).copyFrom(from);
  }

  @Override
  public boolean copyTo(int block, BlockCopies target, int targetBlock) {
    if (!reachesOthers || !(target instanceof DistantDevice other)) return false;
    counts.moved.incrementAndGet();
    other.device.block(targetBlock).copyFrom(device.block(block));
    return true;
  }
}
