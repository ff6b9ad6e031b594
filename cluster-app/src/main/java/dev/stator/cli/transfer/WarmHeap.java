package dev.stator.cli.transfer;

/**
 * Makes this process's heap like that of one that has run for a while: the young generation has
 * grown, and its pages are there. Otherwise the operating system's first pages are measured, which
 * cost as much as a tenth of all copies.
 */
final class WarmHeap {
  private static final long GARBAGE_BYTES = 2L << 30;
  private static final int ARRAY_BYTES = 64 * 1024;

  private static volatile byte[] last;

  private WarmHeap() {}

  static void warm() {
    for (long done = 0; done < GARBAGE_BYTES; done += ARRAY_BYTES) last = new byte[ARRAY_BYTES];
    last = null;
  }
}
