package dev.stator.cluster;

import dev.stator.device.BlockCopies;
import dev.stator.device.Device;
import dev.stator.device.MemoryPlan;
import dev.stator.device.StepInput;
import dev.stator.device.StepOutput;
import dev.stator.kv.KvLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;

/** A device whose blocks are copied through a few buffers alone, as a GPU's. */
final class DistantDevice implements Device, BlockCopies {
  static final int BUFFERS = 2;

  private final Device device;
  private final BlockingQueue<MemorySegment> free = new ArrayBlockingQueue<>(BUFFERS);
  private final AtomicInteger copied;

  /**
   * @param copied counts blocks that went in or out
   */
  DistantDevice(Device device, AtomicInteger copied) {
    this.device = device;
    this.copied = copied;
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
    copied.incrementAndGet();
    to.copyFrom(device.block(block));
  }

  @Override
  public void write(int block, MemorySegment from) {
    copied.incrementAndGet();
    device.block(block).copyFrom(from);
  }

  @Override
  public String description() {
    return device.description();
  }

  @Override
  public String numericsFingerprint() {
    return device.numericsFingerprint();
  }

  @Override
  public KvLayout kvLayout() {
    return device.kvLayout();
  }

  @Override
  public int blockCount() {
    return device.blockCount();
  }

  @Override
  public int vocabularySize() {
    return device.vocabularySize();
  }

  @Override
  public int contextLength() {
    return device.contextLength();
  }

  @Override
  public StepOutput run(StepInput input) {
    return device.run(input);
  }

  @Override
  public MemoryPlan memoryPlan() {
    return device.memoryPlan();
  }

  @Override
  public void close() {
    device.close();
  }
}
