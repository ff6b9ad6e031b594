package dev.stator.device.cpu;

import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Says how far the weights are, a line every few seconds, when there are many. <b>Threads:</b> any,
 * but one that finishes.
 */
final class LoadProgress {
  /** Fewer are there before anybody wonders. */
  static final long BYTES_MIN = 256L << 20;

  private static final long SECOND_NS = 1_000_000_000;
  private static final double GIB = 1L << 30;

  /** What becomes of the weights. */
  enum Work {
    /** Read, checked and packed, while somebody waits for it. */
    LOADED("loaded", SECOND_NS),
    /** Read and checked, likewise. */
    CHECKED("checked", SECOND_NS),
    /** Packed while the device serves. */
    PACKED("packed", 10 * SECOND_NS);

    private final String done;
    private final long intervalNs; // Between two lines.

    Work(String done, long intervalNs) {
      this.done = done;
      this.intervalNs = intervalNs;
    }
  }

  private final Work work;
  private final long totalBytes;
  private final LongSupplier nanoClock;
  private final Consumer<String> lines;
  private final long startNs;
  private final AtomicLong doneBytes = new AtomicLong();
  private final AtomicLong nextNs; // When the next line is due.

  /** Begins. */
  LoadProgress(Work work, long totalBytes, LongSupplier nanoClock, Consumer<String> lines) {
    this.work = work;
    this.totalBytes = totalBytes;
    this.nanoClock = nanoClock;
    this.lines = lines;
    this.startNs = nanoClock.getAsLong();
    this.nextNs = new AtomicLong(startNs + work.intervalNs);
  }

  /** So many more bytes are where they belong. */
  void add(long bytes) {
    final long done = doneBytes.addAndGet(bytes);
    final long nowNs = nanoClock.getAsLong();
    final long dueNs = nextNs.get();
    if (totalBytes < BYTES_MIN || nowNs - dueNs < 0) return;
    if (!nextNs.compareAndSet(dueNs, nowNs + work.intervalNs)) return; // Another thread says it.
    lines.accept(
        String.format(
            Locale.ROOT,
            "Weights: %d %%, %.1f of %.1f GiB %s",
            100 * done / totalBytes,
            done / GIB,
            totalBytes / GIB,
            work.done));
  }

  /** All are; says how long that took, when lines were due. */
  void finish() {
    final long tookNs = nanoClock.getAsLong() - startNs;
    if (totalBytes < BYTES_MIN || tookNs < SECOND_NS) return;
    lines.accept(
        String.format(
            Locale.ROOT,
            "Weights: %.1f GiB %s in %.1f s",
            totalBytes / GIB,
            work.done,
            tookNs / 1e9));
  }
}
