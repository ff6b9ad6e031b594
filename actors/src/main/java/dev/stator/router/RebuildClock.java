package dev.stator.router;

import dev.stator.protocol.WorkerId;
import dev.stator.worker.RouterStats;
import java.util.Collection;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

/** How long a router takes to know what its predecessor knew. One thread. */
final class RebuildClock {
  private final LongSupplier nanoClock;
  private final long startNs;
  private long ns = RouterStats.REBUILDING;

  /** Starts with the router. */
  RebuildClock(LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
    this.startNs = nanoClock.getAsLong();
  }

  /** Stops once there are workers and the dumps of all of them are in. */
  void look(Collection<WorkerId> workers, Predicate<WorkerId> waitsForDump) {
    if (ns != RouterStats.REBUILDING || workers.isEmpty()) return;
    if (workers.stream().noneMatch(waitsForDump)) ns = nanoClock.getAsLong() - startNs;
  }

  /** {@link RouterStats#REBUILDING} until it has stopped. */
  long ns() {
    return ns;
  }
}
