package dev.stator.cli.bench;

/** A clock with timers. All actions run one after the other; any thread may add one. */
public interface EventLoop {
  /** Nanoseconds since the loop began. */
  long nowNs();

  /**
   * Runs {@code action} when {@link #nowNs} has reached {@code ns}; at once when it has already.
   */
  void at(long ns, Runnable action);

  /** Runs {@code action} next. */
  default void execute(Runnable action) {
    at(0, action);
  }
}
