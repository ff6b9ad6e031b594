package dev.stator.device.cpu;

import dev.stator.device.cpu.PackedWeights.Task;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Packs weights beside the steps that multiply them already ({@link NativeMatrix}).
 *
 * <p>Threads of its own take task after task and compete with the steps': both go on, however busy
 * the machine is. With half as many as a step has, a step keeps two thirds of its processors. The
 * first step has them for itself, since somebody waits for the server.
 *
 * <p><b>Threads:</b> one, the device's, calls; {@link #isDone} and {@link #bytes} any.
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
   * @param stepWait for the end of a first step; without one, packing begins then
   */
  record Plan(long bytesMin, int threads, Duration stepWait) {
    /**
     * Less is packed within half a second even into memory that a virtual machine's host has to
     * find first.
     */
    private static final long PAYING_BYTES_MIN = 256L << 20;

    /** A server's start has come to its first request by then, if there is one. */
    private static final Duration STEP_WAIT = Duration.ofSeconds(2);

    static Plan of(CpuDeviceSettings settings) {
      return switch (settings.pack()) {
        case BEFORE_READY -> new Plan(Long.MAX_VALUE, 0, Duration.ZERO);
        case WHILE_SERVING -> new Plan(PAYING_BYTES_MIN, (settings.threads() + 1) / 2, STEP_WAIT);
      };
    }
  }

  private final List<Task> tasks;
  private final Runnable whenDone;
  private final Plan plan;
  private final MemorySegment[] panels;
  private final LoadProgress progress;
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicInteger remaining;
  private final CountDownLatch begin = new CountDownLatch(1);
  private final Thread[] threads;
  private volatile Throwable failure;
  private volatile boolean isClosed;
  private volatile boolean isDone;

  /**
   * @param tasks each packs a piece, at least one
   * @param whenDone runs behind the last of them
   * @param panels of the workers that multiply meanwhile
   */
  BackgroundPacking(List<Task> tasks, Runnable whenDone, Plan plan, MemorySegment[] panels) {
    this.tasks = List.copyOf(tasks);
    this.whenDone = whenDone;
    this.plan = plan;
    this.panels = panels;
    remaining = new AtomicInteger(tasks.size());
    progress =
        new LoadProgress(
            LoadProgress.Work.PACKED,
            tasks.stream().mapToLong(Task::bytes).sum(),
            System::nanoTime,
            LoggerFactory.getLogger(LoadProgress.class)::info);
    threads = new Thread[plan.threads];
    for (int i = 0; i < threads.length; i++) {
      threads[i] = Thread.ofPlatform().name("stator-cpu-pack-" + i).daemon().unstarted(this::work);
    }
  }

  /** Memory in which each worker packs a panel for itself, as long as anybody knows it. */
  static MemorySegment[] panels(int workers, long panelBytes) {
    final MemorySegment[] panels = new MemorySegment[workers];
    for (int i = 0; i < workers; i++) {
      panels[i] = OffHeap.allocate(Arena.ofAuto(), panelBytes + SLACK_BYTES);
    }
    return panels;
  }

  void start() {
    for (Thread thread : threads) thread.start();
  }

  /** A step has ended. */
  void stepped() {
    begin.countDown();
  }

  /** Bytes of the workers' panels. */
  long bytes() {
    long bytes = 0;
    for (MemorySegment panel : panels) bytes += panel.byteSize();
    return bytes;
  }

  private void work() {
    try {
      begin.await(plan.stepWait.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException nobodyDoes) {
      return;
    }
    boolean isLeft = true;
    while (isLeft && !isClosed && failure == null) isLeft = packNext();
  }

  /** Packs one piece; false when none was left to take. Any thread. */
  boolean packNext() {
    final int number = next.getAndIncrement();
    if (number >= tasks.size()) return false;
    try {
      tasks.get(number).work().accept(0);
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

  /** Whether every task is packed: no worker will ask for its panel any more. */
  boolean isDone() {
    return isDone;
  }

  /**
   * @throws IllegalStateException when a piece could not be packed, as from a file that has changed
   */
  void requireIntact() {
    if (failure != null) throw new IllegalStateException("weights cannot be packed", failure);
  }

  /** Stops: within a piece for each thread. */
  @Override
  public void close() {
    isClosed = true;
    begin.countDown();
    boolean isInterrupted = false;
    for (Thread thread : threads) {
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException interrupted) {
          isInterrupted = true; // What it packs must not go before the thread has.
        }
      }
    }
    if (isInterrupted) Thread.currentThread().interrupt();
  }
}
