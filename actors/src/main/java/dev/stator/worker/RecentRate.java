package dev.stator.worker;

import java.time.Duration;

/**
 * An amount per second over the last pieces of work: each counts {@value #KEPT} times as much as
 * the next, and none when the last is too long ago. One thread at a time; it is told the time.
 */
final class RecentRate {
  private static final double KEPT = 0.9;

  private final long maxAgeNs;
  private double amount;
  private double seconds;
  private long lastNs;

  RecentRate(Duration maxAge) {
    maxAgeNs = maxAge.toNanos();
  }

  void add(double pieceAmount, double pieceSeconds, long nowNs) {
    amount = KEPT * amount + pieceAmount;
    seconds = KEPT * seconds + pieceSeconds;
    lastNs = nowNs;
  }

  /** NaN when nothing was done of late. */
  double perSecond(long nowNs) {
    return seconds == 0 || nowNs - lastNs > maxAgeNs ? Double.NaN : amount / seconds;
  }
}
