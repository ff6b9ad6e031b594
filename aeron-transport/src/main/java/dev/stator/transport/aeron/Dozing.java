package dev.stator.transport.aeron;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/**
 * How the transport's thread passes cycles in which nothing happened: it spins shortly, then parks
 * ever longer. It never yields: on a busy machine that gives away a time slice, where a sleeper
 * comes back at once. Anyone may unpark it.
 *
 * <pre>
 *   SPINS cycles: spin   then park 10 us, 20 us, .. parkMax
 *   after DOZE_AFTER without work: .. dozeMax
 * </pre>
 *
 * <b>Threads:</b> the transport's.
 */
final class Dozing {
  static final int SPINS = 32;
  static final long PARK_MIN_NS = 10_000;
  static final long DOZE_AFTER_NS = 1_000_000_000;

  private final long parkMaxNs;
  private final long dozeMaxNs;
  private int idleCycles;
  private long idleSinceNs;
  private long parkNs;

  Dozing(Duration parkMax, Duration dozeMax) {
    parkMaxNs = parkMax.toNanos();
    dozeMaxNs = dozeMax.toNanos();
  }

  /**
   * Ends a cycle that did this much.
   *
   * @param work for blocks, messages and connections; wakes the thread up
   * @param driverWork datagrams and heartbeats: puts the next sleep off, no more
   */
  void idle(int work, int driverWork, long nowNs) {
    final long pauseNs = pauseNs(work, driverWork, nowNs);
    if (pauseNs > 0) LockSupport.parkNanos(pauseNs);
    else if (idleCycles > 0) Thread.onSpinWait();
  }

  /** How long to park; 0 for not at all. */
  long pauseNs(int work, int driverWork, long nowNs) {
    if (work > 0) {
      idleCycles = 0;
      parkNs = 0;
      return 0;
    }
    if (driverWork > 0) return 0;
    if (idleCycles == 0) idleSinceNs = nowNs;
    if (idleCycles < SPINS) {
      idleCycles++;
      return 0;
    }
    final long mostNs = nowNs - idleSinceNs < DOZE_AFTER_NS ? parkMaxNs : dozeMaxNs;
    parkNs = Math.min(mostNs, Math.max(PARK_MIN_NS, 2 * parkNs));
    return parkNs;
  }
}
