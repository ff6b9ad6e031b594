package dev.stator.device.cpu;

import dev.stator.device.cpu.PackedWeights.Task;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Packs weights beside the steps that multiply them already, from each worker's own memory ({@link
 * NativeMatrix}). That memory is here.
 *
 * <p>Threads of its own take task after task and compete with the steps': both go on, however busy
 * the machine is. With half as many as a step has, a step keeps two thirds of its processors.
 *
 * <p><b>Threads:</b> one, the device's, calls; {@link #isDone} any.
 */
final class BackgroundPacking implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(BackgroundPacking.class);

  /** Read by kernels beyond a panel, and more than that. */
  private static final int SLACK_BYTES = 64;

  /**
   * When it pays, and who does it.
   *
   * @param bytesMin packed bytes from which on weights are packed in the background
   * @param threads that pack; 0 for none, where {@link #packNext} does
   */
  record Plan(long bytesMin, int threads) {
    /**
     * Less is packed within half a second even into memory that a virtual machine's host has to
     * find first.
     */
    private static final long PAYING_BYTES_MIN = 256L << 20;

    static Plan of(CpuDeviceSettings settings) {
      return switch (settings.pack()) {
        case BEFORE_READY -> new Plan(Long.MAX_VALUE, 0);
        case WHILE_SERVING -> new Plan(PAYING_BYTES_MIN, (settings.threads() + 1) / 2);
      };
    }
  }

  private final List<Task> tasks;
  private final Runnable whenDone;
  private final LoadProgress progress;
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicInteger remaining;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment[] panels;
  private final Thread[] threads;
  private volatile Throwable failure;
  private volatile boolean isClosed;
  private volatile boolean isDone;

  /**
   * @param tasks each packs a piece, at least one
   * @param whenDone runs behind the last of them
   * @param workers that multiply meanwhile
   * @param panelBytes of the largest panel
   */
  BackgroundPacking(
      List<Task> tasks, Runnable whenDone, int threadCount, int workers, long panelBytes) {
    this.tasks = List.copyOf(tasks);
    this.whenDone = whenDone;
    remaining = new AtomicInteger(tasks.size());
    panels = new MemorySegment[workers];
    for (int i = 0; i < workers; i++) {
      panels[i] = OffHeap.allocate(arena, panelBytes + SLACK_BYTES);
    }
    progress =
        new LoadProgress(
            LoadProgress.Work.PACKED,
            tasks.stream().mapToLong(Task::bytes).sum(),
            System::nanoTime,
            LoggerFactory.getLogger(LoadProgress.class)::info);
    threads = new Thread[threadCount];
    for (int i = 0; i < threadCount; i++) {
      threads[i] = Thread.ofPlatform().name("stator-cpu-pack-" + i).daemon().unstarted(this::work);
    }
  }

  void start() {
    for (Thread thread : threads) thread.start();
  }

  /** Where each worker packs for itself; valid until {@link #close}. */
  MemorySegment[] panels() {
    return panels;
  }

  /** Bytes of {@link #panels}. */
  long bytes() {
    long bytes = 0;
    for (MemorySegment panel : panels) bytes += panel.byteSize();
    return bytes;
  }

  private void work() {
    boolean isLeft = true;
    while (isLeft && !isClosed && failure == null) isLeft = packNext();
  }

  /** Packs one piece; false when none was left to take. Any thread. */
  boolean packNext() {
    final int number = next.getAndIncrement();
    if (number >= tasks.size()) return false;
    try {
      tasks.get(number).work().run();
      progress.add(tasks.get(number).bytes());
      if (remaining.decrementAndGet() == 0) finish();
    } catch (RuntimeException | Error broken) {
      LOG.error("Weights cannot be packed", broken);
      failure = broken;
    }
    return true;
  }

  private void finish() {
    whenDone.run();
    progress.finish();
    isDone = true;
  }

  /** Whether every task is packed: nobody will ask for {@link #panels} any more. */
  boolean isDone() {
    return isDone;
  }

  /**
   * @throws IllegalStateException when a piece could not be packed: the others are the weights of a
   *     file that has changed
   */
  void requireIntact() {
    if (failure != null) throw new IllegalStateException("weights cannot be packed", failure);
  }

  /** Stops within a piece for each thread, and frees what it has. No step may be running. */
  @Override
  public void close() {
    isClosed = true;
    boolean isInterrupted = false;
    for (Thread thread : threads) {
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException interrupted) {
          isInterrupted = true; // The memory must not go before the thread has.
        }
      }
    }
    arena.close();
    if (isInterrupted) Thread.currentThread().interrupt();
  }
}
