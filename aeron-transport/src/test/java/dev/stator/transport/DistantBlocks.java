package dev.stator.transport;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;

/** Blocks that are read and written through a few buffers alone, as a GPU's. */
final class DistantBlocks implements BlockMemory {
  private static final byte POISON = (byte) 0xCD;

  private final MemorySegment region;
  private final BlockGeometry geometry;
  private final BlockingQueue<MemorySegment> free;
  private final AtomicInteger held = new AtomicInteger();
  private final AtomicInteger heldMax = new AtomicInteger();
  final AtomicInteger reads = new AtomicInteger();
  final AtomicInteger commits = new AtomicInteger();
  final AtomicInteger moves = new AtomicInteger();
  volatile boolean isBroken;
  volatile boolean reachesOthers;
  FakeDevice device; // Null when no other process gets at it.

  /**
   * @param region where they lie; the test looks there, transfers do not
   */
  DistantBlocks(MemorySegment region, long blockBytes, int buffers) {
    this.region = region;
    this.geometry = new BlockGeometry(blockBytes, BlockGeometry.PLAIN);
    this.free = new ArrayBlockingQueue<>(buffers);
    for (int i = 0; i < buffers; i++) free.add(Arena.ofAuto().allocate(blockBytes, 64));
  }

  /** What has been opened and not closed. */
  int held() {
    return held.get();
  }

  int heldMax() {
    return heldMax.get();
  }

  @Override
  public int blockCount() {
    return (int) (region.byteSize() / geometry.blockBytes());
  }

  @Override
  public BlockGeometry geometry() {
    return geometry;
  }

  @Override
  public HeldBlock read(int blockIndex) {
    final Copy copy = draft(blockIndex);
    if (copy == null) return null;
    reads.incrementAndGet();
    copy.buffer.copyFrom(copy.block());
    return copy;
  }

  @Override
  public Optional<StraightCopies> straight() {
    return Optional.of(this::copy);
  }

  @Override
  public Optional<DevicePool> devicePool() {
    return Optional.ofNullable(device);
  }

  private boolean copy(int block, BlockMemory target, int targetBlock) {
    if (!reachesOthers || !(target instanceof DistantBlocks other)) return false;
    if (isBroken || other.isBroken) throw new IllegalStateException("broken, as told");
    moves.incrementAndGet();
    other.at(targetBlock).copyFrom(at(block));
    return true;
  }

  private MemorySegment at(int block) {
    return region.asSlice(block * geometry.blockBytes(), geometry.blockBytes());
  }

  @Override
  public Copy draft(int blockIndex) {
    if (isBroken) throw new IllegalStateException("the memory is broken, as told");
    final MemorySegment buffer = free.poll();
    if (buffer == null) return null;
    heldMax.accumulateAndGet(held.incrementAndGet(), Math::max);
    return new Copy(blockIndex, buffer.fill(POISON));
  }

  /** One buffer, until it is closed. */
  final class Copy implements BlockDraft {
    private final int blockIndex;
    private MemorySegment buffer;

    private Copy(int blockIndex, MemorySegment buffer) {
      this.blockIndex = blockIndex;
      this.buffer = buffer;
    }

    private MemorySegment block() {
      return at(blockIndex);
    }

    @Override
    public MemorySegment bytes() {
      if (buffer == null) throw new AssertionError("used after it was closed");
      return buffer;
    }

    @Override
    public void commit() {
      commits.incrementAndGet();
      block().copyFrom(bytes());
    }

    @Override
    public synchronized void close() {
      if (buffer == null) throw new AssertionError("closed twice");
      free.add(buffer.fill(POISON));
      buffer = null;
      held.decrementAndGet();
    }
  }
}
