package dev.stator.cli;

/** A node that answers requests. Any thread may call it. */
public interface RunningNode extends AutoCloseable {
  /** What was started, for the user; its address has the port that was really bound. */
  NodeSummary summary();

  /** Waits until the node has stopped, by {@link #close} or by itself. */
  void awaitTermination() throws InterruptedException;

  /** Drains and stops the node, and returns when it has stopped. Further calls do nothing. */
  @Override
  void close();
}
