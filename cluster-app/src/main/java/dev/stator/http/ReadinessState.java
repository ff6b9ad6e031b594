package dev.stator.http;

import java.util.Locale;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;

/**
 * Whether this process takes requests. Any thread may ask and tell.
 *
 * <pre>
 *   STARTING ──markReady──▶ READY ──startDraining──▶ DRAINING
 *       └───────────────startDraining───────────────────▲
 * </pre>
 */
public final class ReadinessState {
  /** Where the process is in its life. */
  public enum Phase {
    /** Not all parts are up. */
    STARTING,
    /** Takes requests. */
    READY,
    /** Finishes what runs, takes nothing new. */
    DRAINING;

    String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private final AtomicReference<Phase> phase = new AtomicReference<>(Phase.STARTING);
  private volatile BooleanSupplier isDrainingElsewhere = () -> false;

  public Phase phase() {
    if (isDrainingElsewhere.getAsBoolean()) startDraining();
    return phase.get();
  }

  public boolean isReady() {
    return phase() == Phase.READY;
  }

  /** From now on it is asked whenever somebody asks here: another part may begin the drain. */
  public void watch(BooleanSupplier isDraining) {
    isDrainingElsewhere = isDraining;
  }

  /** All parts are up. Has no effect on a process that drains. */
  public void markReady() {
    phase.compareAndSet(Phase.STARTING, Phase.READY);
  }

  /** There is no way back from here. */
  public void startDraining() {
    phase.set(Phase.DRAINING);
  }
}
