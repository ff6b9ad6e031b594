package dev.stator.worker;

/**
 * How much of a prefill's sending time computing has hidden.
 *
 * <pre>
 *   computing  ├──────────────────────────┤
 *   writes        ├─────┤  ├──────┤  ├────┼──────┤
 *                                           exposed
 * </pre>
 *
 * One write is on its way at a time. One thread; it is told the time.
 */
final class SendClock {
  private static final long NONE = Long.MIN_VALUE;

  private long totalNs;
  private long exposedNs;
  private long postedNs = NONE;
  private long computedNs = NONE;

  /** A write leaves. */
  void posted(long nowNs) {
    postedNs = nowNs;
  }

  /** Nothing is left to compute. */
  void computed(long nowNs) {
    computedNs = nowNs;
  }

  /** The write is over; returns how long it was on its way. */
  long ended(long nowNs) {
    if (postedNs == NONE) return 0;
    final long writeNs = nowNs - postedNs;
    totalNs += writeNs;
    if (computedNs != NONE) {
      final long exposedFromNs = postedNs - computedNs > 0 ? postedNs : computedNs;
      exposedNs += nowNs - exposedFromNs;
    }
    postedNs = NONE;
    return writeNs;
  }

  /** How long writes were on their way. */
  long totalNs() {
    return totalNs;
  }

  /** Of {@link #totalNs}, how long nothing was left to compute. */
  long exposedNs() {
    return exposedNs;
  }
}
