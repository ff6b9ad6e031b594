package dev.stator.device.cuda;

import dev.stator.device.BlockCopies;
import dev.stator.kv.KvLayout;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;

/**
 * Copies of blocks whose heads lie on several GPUs: a buffer holds all of them, as one GPU would
 * have them.
 *
 * <pre>
 *   a layer of a block   keys of heads of rank 0 | of rank 1 | ... | values of heads of rank 0 | of rank 1 | ...
 * </pre>
 *
 * <p>So each rank's part is a row of bytes twice a layer, at equal distances. Each direction has a
 * stream of each GPU, and one copy at a time, on all GPUs at once.
 *
 * <p><b>Ownership:</b> the drivers free the buffers, and close their companions.
 */
final class ParallelBlockCopies implements BlockCopies {
  /** One direction of one GPU. */
  private static final class Way {
    private final CudaRank rank;
    private final Driver driver;
    private final Driver.Stream stream;

    private Way(CudaRank rank) {
      this.rank = rank;
      rank.driver().attach();
      driver = rank.driver().companion();
      driver.attach();
      stream = driver.newStream();
    }

    /** Bytes of a row of this rank's. */
    private long width() {
      return rank.layout().layerBytes() / 2;
    }

    private int rows() {
      return 2 * rank.layout().layerCount();
    }

    private long address(int block) {
      return rank.pool() + block * rank.layout().blockBytes();
    }

    private MemorySegment partOf(MemorySegment buffer) {
      return buffer.asSlice(rank.shard().rank() * width());
    }

    private void toHost(MemorySegment to, long pitch, int block) {
      driver.attach();
      stream.copyRowsToHost(partOf(to), pitch, address(block), width(), width(), rows());
    }

    private void toDevice(int block, MemorySegment from, long pitch) {
      driver.attach();
      stream.copyRowsToDevice(address(block), width(), partOf(from), pitch, width(), rows());
    }

    private boolean reaches(Way other) {
      driver.attach();
      return driver.reach(other.rank.driver());
    }

    private void toPeer(Way other, int to, int block) {
      driver.attach();
      stream.copyToPeer(
          other.rank.driver(), other.address(to), address(block), rank.layout().blockBytes());
    }

    private void await() {
      driver.attach();
      stream.synchronize();
    }
  }

  private final KvLayout layout;
  private final int blockCount;
  private final Queue<MemorySegment> free;
  private final List<Way> out = new ArrayList<>();
  private final List<Way> in = new ArrayList<>();

  /**
   * @param ranks whose drivers the calling thread may attach to
   * @param layout of whole blocks
   * @param buffers how many
   */
  ParallelBlockCopies(List<CudaRank> ranks, KvLayout layout, int buffers) {
    this.layout = layout;
    this.blockCount = ranks.getFirst().blockCount();
    this.free = new ArrayBlockingQueue<>(buffers);
    for (CudaRank rank : ranks) {
      out.add(new Way(rank));
      in.add(new Way(rank));
    }
    final Driver first = ranks.getFirst().driver();
    first.attach();
    final long bytes = layout.blockBytes();
    final MemorySegment memory = first.allocateHost(buffers * bytes);
    for (int i = 0; i < buffers; i++) free.add(memory.asSlice(i * bytes, bytes));
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
    CudaBlockCopies.checkBlock(block, blockCount);
    CudaBlockCopies.checkBuffer(to, layout.blockBytes());
    synchronized (out) {
      for (Way way : out) way.toHost(to, pitch(), block);
      for (Way way : out) way.await();
    }
  }

  @Override
  public void write(int block, MemorySegment from) {
    CudaBlockCopies.checkBlock(block, blockCount);
    CudaBlockCopies.checkBuffer(from, layout.blockBytes());
    synchronized (in) {
      for (Way way : in) way.toDevice(block, from, pitch());
      for (Way way : in) way.await();
    }
  }

  /** Bytes from one row of a rank's to its next. */
  private long pitch() {
    return layout.layerBytes() / 2;
  }

  /** Rank by rank, to as many. */
  @Override
  public boolean copyTo(int block, BlockCopies target, int targetBlock) {
    if (!(target instanceof ParallelBlockCopies other) || !other.layout.equals(layout))
      return false;
    if (other.out.size() != out.size()) return false;
    CudaBlockCopies.checkBlock(block, blockCount);
    CudaBlockCopies.checkBlock(targetBlock, other.blockCount);
    synchronized (out) {
      for (int i = 0; i < out.size(); i++) {
        if (!out.get(i).reaches(other.out.get(i))) return false;
      }
      for (int i = 0; i < out.size(); i++) out.get(i).toPeer(other.out.get(i), targetBlock, block);
      for (Way way : out) way.await();
    }
    return true;
  }
}
