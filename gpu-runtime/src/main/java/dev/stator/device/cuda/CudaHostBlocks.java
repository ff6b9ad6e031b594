package dev.stator.device.cuda;

import dev.stator.device.HostBlocks;
import dev.stator.device.MemoryPlan;
import dev.stator.kv.KvLayout;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;

/**
 * Page-locked memory for a pool's blocks, or for each GPU's parts of them. Each direction has a
 * thread that waits for orders, with a companion of each GPU's driver and a stream of its own, so
 * that copies run beside steps and beside each other. A GPU's part of a block is one copy; all of
 * an order's are given to the streams before they are waited for.
 *
 * <p><b>Order:</b> a step's work has ended when it returns, so what is stored after it is read as
 * it left it; copies have ended before {@code onEnd} says so, and with it before the step after it.
 *
 * <p><b>Ownership:</b> of its threads, until {@link #close}. The drivers free the memory, later.
 */
final class CudaHostBlocks implements HostBlocks, AutoCloseable {
  private record Order(List<Copy> copies, Consumer<RuntimeException> onEnd) {}

  private static final Order LAST = new Order(List.of(), failure -> {});

  /** How a stream copies one GPU's part of a block. */
  private interface Mover {
    void move(Driver.Stream stream, long block, MemorySegment slot);
  }

  private final int blockCount;
  private final int slotCount;
  private final Way out;
  private final Way in;

  /**
   * @param ranks that have taken their pools; the calling thread may attach to their drivers
   * @throws OutOfMemoryError when so much memory cannot be page-locked
   */
  private CudaHostBlocks(List<CudaRank> ranks, int slotCount) {
    this.blockCount = ranks.getFirst().blockCount();
    this.slotCount = slotCount;
    final List<MemorySegment> memory = new ArrayList<>();
    for (CudaRank rank : ranks) {
      rank.driver().attach();
      memory.add(rank.driver().allocateHost(slotCount * rank.layout().blockBytes()));
    }
    out =
        new Way("kv-store", ranks, memory, (stream, block, slot) -> stream.copyToHost(slot, block));
    in = new Way("kv-load", ranks, memory, Driver.Stream::copyToDevice);
    ranks.getFirst().driver().attach();
    out.thread.start();
    in.thread.start();
  }

  /**
   * As set; what nobody asked for by its size may be missing.
   *
   * @param ranks that have taken their pools; the calling thread may attach to their drivers, and
   *     is attached to the first one's afterwards
   * @param layout of whole blocks
   * @return {@code null} for no host tier
   * @throws OutOfMemoryError when so much memory cannot be page-locked
   */
  static CudaHostBlocks of(CudaDeviceSettings settings, List<CudaRank> ranks, KvLayout layout) {
    final int blockCount = ranks.getFirst().blockCount();
    final int slotCount = settings.hostTierBlocks(blockCount, layout.blockBytes());
    if (slotCount == 0) return null;
    try {
      return new CudaHostBlocks(ranks, slotCount);
    } catch (OutOfMemoryError full) {
      if (settings.hostTierBytes() == CudaDeviceSettings.HOST_TIER_AUTO) return null;
      final var error =
          new OutOfMemoryError("stator.device.cuda.host-tier-bytes: " + full.getMessage());
      error.initCause(full);
      throw error;
    }
  }

  /**
   * The tier's place in a device's memory.
   *
   * @param tier may be {@code null}
   */
  static MemoryPlan.Term term(CudaHostBlocks tier, KvLayout layout) {
    final int slotCount = tier == null ? 0 : tier.slotCount;
    return new MemoryPlan.Term(
        "page-locked host memory: host tier of %d blocks".formatted(slotCount),
        slotCount * layout.blockBytes());
  }

  @Override
  public int slotCount() {
    return slotCount;
  }

  @Override
  public void store(List<Copy> copies, Consumer<RuntimeException> onEnd) {
    out.order(copies, onEnd);
  }

  @Override
  public void load(List<Copy> copies, Consumer<RuntimeException> onEnd) {
    in.order(copies, onEnd);
  }

  /** Ends the copies that are being made; all others fail. */
  @Override
  public void close() {
    out.close();
    in.close();
  }

  /** One direction of one GPU. */
  private record Lane(
      Driver driver, Driver.Stream stream, long pool, long partBytes, MemorySegment memory) {
    static Lane of(CudaRank rank, MemorySegment memory) {
      rank.driver().attach();
      final Driver driver = rank.driver().companion();
      driver.attach();
      final long partBytes = rank.layout().blockBytes();
      return new Lane(driver, driver.newStream(), rank.pool(), partBytes, memory);
    }

    void begin(List<Copy> copies, Mover mover) {
      driver.attach();
      for (Copy copy : copies) {
        final MemorySegment slot = memory.asSlice(copy.slot() * partBytes, partBytes);
        mover.move(stream, pool + copy.block() * partBytes, slot);
      }
    }

    void end() {
      driver.attach();
      stream.synchronize();
    }
  }

  /** One direction. */
  private final class Way implements AutoCloseable {
    private final List<Lane> lanes = new ArrayList<>();
    private final Mover mover;
    private final BlockingQueue<Order> orders;
    private final Thread thread;
    private volatile boolean isClosed; // Written by who closes, guarded by this.

    private Way(String name, List<CudaRank> ranks, List<MemorySegment> memory, Mover mover) {
      this.mover = mover;
      orders = new LinkedBlockingQueue<>(ordersMax() + 1); // And the last one.
      for (int i = 0; i < ranks.size(); i++) lanes.add(Lane.of(ranks.get(i), memory.get(i)));
      thread = Thread.ofPlatform().daemon().name(name).unstarted(this::work);
    }

    private void order(List<Copy> copies, Consumer<RuntimeException> onEnd) {
      final CudaException refusal;
      synchronized (this) {
        refusal = isClosed ? closed() : orders.remainingCapacity() == 1 ? tooMany() : null;
        if (refusal == null) orders.add(new Order(copies, onEnd));
      }
      if (refusal != null) onEnd.accept(refusal);
    }

    private void work() {
      for (Order order = next(); order != LAST; order = next()) {
        order.onEnd.accept(isClosed ? closed() : failureOf(order));
      }
    }

    private Order next() {
      while (true) {
        try {
          return orders.take();
        } catch (InterruptedException e) {
          // Nobody does that; the last order ends this thread.
        }
      }
    }

    /** Carries an order out; no copy runs afterwards, whatever has failed. */
    private RuntimeException failureOf(Order order) {
      RuntimeException failure = null;
      for (Lane lane : lanes) failure = failureOf(() -> begin(lane, order), failure);
      for (Lane lane : lanes) failure = failureOf(lane::end, failure);
      return failure;
    }

    private void begin(Lane lane, Order order) {
      for (Copy copy : order.copies) Objects.checkIndex(copy.block(), blockCount);
      lane.begin(order.copies, mover);
    }

    private static RuntimeException failureOf(Runnable work, RuntimeException before) {
      try {
        work.run();
        return before;
      } catch (RuntimeException e) {
        return e;
      } catch (Error e) {
        return new CudaException("copies failed: " + e);
      }
    }

    @Override
    public void close() {
      synchronized (this) {
        if (isClosed) return;
        isClosed = true;
        orders.add(LAST);
      }
      boolean isInterrupted = false;
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException e) {
          isInterrupted = true;
        }
      }
      if (isInterrupted) Thread.currentThread().interrupt();
    }
  }

  private int ordersMax() {
    return Math.max(slotCount, blockCount);
  }

  private static CudaException closed() {
    return new CudaException("the device is closed");
  }

  private CudaException tooMany() {
    return new CudaException(ordersMax() + " orders are waiting, as many as there are blocks");
  }
}
