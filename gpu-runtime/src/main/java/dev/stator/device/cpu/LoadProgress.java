package dev.stator.device.cpu;

import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Says how far the weights are, a line a second, when there are many. <b>Threads:</b> any, but one
 * that finishes.
 */
final class LoadProgress {
  /** Fewer are there before anybody wonders. */
  static final long BYTES_MIN = 256L << 20;

  static final long INTERVAL_NS = 1_000_000_000;
  private static final double GIB = 1L << 30;

  private final long totalBytes;
  private final LongSupplier nanoClock;
  private final Consumer<String> lines;
  private final long startNs;
  private final AtomicLong doneBytes = new AtomicLong();
  private final AtomicLong nextNs; // When the next line is due.

  /** Begins. */
  LoadProgress(long totalBytes, LongSupplier nanoClock, Consumer<String> lines) {
    this.totalBytes = totalBytes;
    this.nanoClock = nanoClock;
    this.lines = lines;
    this.startNs = nanoClock.getAsLong();
    this.nextNs = new AtomicLong(startNs + INTERVAL_NS);
  }

  /** So many more bytes are where they belong. */
  void add(long bytes) {
    final long done = doneBytes.addAndGet(bytes);
    final long nowNs = nanoClock.getAsLong();
    final long dueNs = nextNs.get();
    if (totalBytes < BYTES_MIN || nowNs - dueNs < 0) return;
    if (!nextNs.compareAndSet(dueNs, nowNs + INTERVAL_NS)) return; // Another thread says it.
    lines.accept(
        String.format(
            Locale.ROOT,
            "Weights: %d %%, %.1f of %.1f GiB",
            100 * done / totalBytes,
            done / GIB,
            totalBytes / GIB));
  }

  /** All are; says how long that took, when lines were due. */
  void finish() {
    final long tookNs = nanoClock.getAsLong() - startNs;
    if (totalBytes < BYTES_MIN || tookNs < INTERVAL_NS) return;
    lines.accept(
        String.format(
            Locale.ROOT, "Weights: %.1f GiB loaded in %.1f s", totalBytes / GIB, tookNs / 1e9));
  }
}
