package dev.stator.device.cuda;

import dev.stator.device.BlockCopies;
import dev.stator.kv.KvLayout;
import java.lang.foreign.MemorySegment;
import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Copies of blocks beside the device's steps: out, in, and in from other processes' devices, each
 * with a stream and a companion of the driver of its own, and one at a time.
 *
 * <p><b>Ownership:</b> the driver frees the buffers, and closes its companions.
 */
final class CudaBlockCopies implements BlockCopies {
  private static final Logger LOG = LoggerFactory.getLogger(CudaBlockCopies.class);

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

    /** Opens another process's pool. */
    private synchronized long open(PoolHandle handle) {
      driver.attach();
      final long start = driver.ipcOpen(handle.ipc());
      try {
        if (handle.liesIn(driver.allocationOf(start))) return start;
        throw new CudaException("it has not the blocks that it says");
      } catch (CudaException refused) {
        driver.ipcClose(start);
        throw refused;
      }
    }

    private synchronized void close(long start) {
      driver.attach();
      driver.ipcClose(start);
    }

    /** No copy runs afterwards, whatever has failed: the blocks may be another's. */
    private synchronized void withinDevice(long[] to, long[] from, long bytes) {
      driver.attach();
      try {
        for (int i = 0; i < to.length; i++) stream.copy(to[i], from[i], bytes);
      } finally {
        stream.synchronize();
      }
    }

    private synchronized void toDevice(long to, MemorySegment from) {
      driver.attach();
      stream.copyToDevice(to, from);
      stream.synchronize();
    }
  }

  private final Driver main;
  private final long pool;
  private final KvLayout layout;
  private final long blockBytes;
  private final int blockCount;
  private final Queue<MemorySegment> free;
  private final Way out;
  private final Way in;
  private final Way pulls;
  private final byte[] handle; // Null when other processes cannot get at the pool.

  /**
   * @param driver attached to the calling thread, before and afterwards
   * @param pool where the blocks lie, one behind the other
   * @param buffers how many
   */
  CudaBlockCopies(Driver driver, long pool, KvLayout layout, int blockCount, int buffers) {
    this.main = driver;
    this.pool = pool;
    this.layout = layout;
    this.blockBytes = layout.blockBytes();
    this.blockCount = blockCount;
    this.free = new ArrayBlockingQueue<>(buffers);
    final MemorySegment memory = driver.allocateHost(buffers * blockBytes);
    for (int i = 0; i < buffers; i++) free.add(memory.asSlice(i * blockBytes, blockBytes));
    out = new Way(driver);
    driver.attach();
    in = new Way(driver);
    driver.attach();
    pulls = new Way(driver);
    driver.attach();
    handle = newHandle();
  }

  private byte[] newHandle() {
    try {
      final long offset = pool - main.allocationOf(pool).start();
      return PoolHandle.own(blockCount, offset, main.ipcHandle(pool), layout).encode();
    } catch (CudaException refused) {
      LOG.info(
          "{}: other processes do not get at its blocks: {}", main.title(), refused.getMessage());
      return null;
    }
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

  @Override
  public byte[] handle() {
    return handle == null ? null : handle.clone();
  }

  @Override
  public PeerBlocks open(byte[] named) {
    final PoolHandle peer = PoolHandle.decode(named);
    String obstacle = peer == null ? "its handle makes no sense" : peer.obstacle(layout);
    if (obstacle == null) {
      try {
        return new Opened(peer.blockCount(), peer.offset(), pulls.open(peer));
      } catch (CudaException refused) {
        obstacle = refused.getMessage();
      }
    }
    LOG.warn("{} does not get at another process's blocks: {}", main.title(), obstacle);
    return null;
  }

  /** Another process's pool, of blocks like these. */
  private final class Opened implements PeerBlocks {
    private final int count;
    private final long offset;
    private final long start;
    private boolean isClosed;

    private Opened(int count, long offset, long start) {
      this.count = count;
      this.offset = offset;
      this.start = start;
    }

    @Override
    public int blockCount() {
      return count;
    }

    @Override
    public void pull(int[] blocks, int[] targets) {
      if (isClosed) throw new CudaException("another process's blocks are closed");
      final long[] from = new long[blocks.length];
      final long[] to = new long[blocks.length];
      for (int i = 0; i < blocks.length; i++) {
        checkBlock(blocks[i], count);
        from[i] = start + offset + blocks[i] * blockBytes;
        to[i] = address(targets[i]);
      }
      pulls.withinDevice(to, from, blockBytes);
    }

    @Override
    public void close() {
      if (isClosed) return;
      isClosed = true;
      try {
        pulls.close(start);
      } catch (CudaException gone) {
        LOG.debug("Closed before: {}", gone.getMessage());
      }
    }
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
