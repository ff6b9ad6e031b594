package dev.stator.cli;

import java.time.Duration;
import java.util.Optional;

/** A node that answers requests. Any thread may call it. */
public interface RunningNode extends AutoCloseable {
  /** What was started, for the user; its address has the port that was really bound. */
  NodeSummary summary();

  /**
   * Why the node has stopped although nobody asked it to: one sentence for the user; empty while it
   * runs and after any other end.
   */
  default Optional<String> failure() {
    return Optional.empty();
  }

  /** How long what runs may take to end, once the node is closed; then it is cut. */
  Duration drainTimeout();

  /** Waits until the node has stopped, by {@link #close} or by itself. */
  void awaitTermination() throws InterruptedException;

  /** Drains and stops the node, and returns when it has stopped. Further calls do nothing. */
  @Override
  void close();
}
