package dev.stator.device.cuda;

import dev.stator.device.BlockCopies;
import java.lang.foreign.MemorySegment;
import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;

/**
 * Copies of blocks beside the device's steps: each direction has a stream and a companion of the
 * driver of its own, and one copy at a time.
 *
 * <p><b>Ownership:</b> the driver frees the buffers, and closes its companions.
 */
final class CudaBlockCopies implements BlockCopies {
  /** One direction. */
  private static final class Way {
    private final Driver driver;
    private final Driver.Stream stream;

    private Way(Driver main) {
      driver = main.companion();
      driver.attach();
      stream = driver.newStream();
    }

    private synchronized void toHost(MemorySegment to, long from) {
      driver.attach();
      stream.copyToHost(to, from);
      stream.synchronize();
    }

    private synchronized boolean toPeer(Driver peer, long to, long from, long bytes) {
      driver.attach();
      if (!driver.reach(peer)) return false;
      stream.copyToPeer(peer, to, from, bytes);
      stream.synchronize();
      return true;
    }

    private synchronized void toDevice(long to, MemorySegment from) {
      driver.attach();
      stream.copyToDevice(to, from);
      stream.synchronize();
    }
  }

  private final Driver main;
  private final long pool;
  private final long blockBytes;
  private final int blockCount;
  private final Queue<MemorySegment> free;
  private final Way out;
  private final Way in;

  /**
   * @param driver attached to the calling thread, before and afterwards
   * @param pool where the blocks lie, one behind the other
   * @param buffers how many
   */
  CudaBlockCopies(Driver driver, long pool, long blockBytes, int blockCount, int buffers) {
    this.main = driver;
    this.pool = pool;
    this.blockBytes = blockBytes;
    this.blockCount = blockCount;
    this.free = new ArrayBlockingQueue<>(buffers);
    final MemorySegment memory = driver.allocateHost(buffers * blockBytes);
    for (int i = 0; i < buffers; i++) free.add(memory.asSlice(i * blockBytes, blockBytes));
    out = new Way(driver);
    driver.attach();
    in = new Way(driver);
    driver.attach();
  }

  @Override
  public MemorySegment take() {
    return free.poll();
  }

  @Override
  public void give(MemorySegment buffer) {
    free.add(buffer);
  }

  @Override
  public void read(int block, MemorySegment to) {
    out.toHost(to, address(block, to));
  }

  @Override
  public void write(int block, MemorySegment from) {
    in.toDevice(address(block, from), from);
  }

  @Override
  public boolean copyTo(int block, BlockCopies target, int targetBlock) {
    if (!(target instanceof CudaBlockCopies other) || other.blockBytes != blockBytes) return false;
    return out.toPeer(other.main, other.address(targetBlock), address(block), blockBytes);
  }

  private long address(int block, MemorySegment buffer) {
    checkBuffer(buffer, blockBytes);
    return address(block);
  }

  private long address(int block) {
    checkBlock(block, blockCount);
    return pool + block * blockBytes;
  }

  static void checkBlock(int block, int blockCount) {
    if (block < 0 || block >= blockCount) {
      throw new IllegalArgumentException(
          "there is no block " + block + ", the device has " + blockCount);
    }
  }

  static void checkBuffer(MemorySegment buffer, long blockBytes) {
    if (buffer.byteSize() != blockBytes) {
      throw new IllegalArgumentException(
          "a buffer of " + buffer.byteSize() + " bytes, expected a block's " + blockBytes);
    }
  }
}
