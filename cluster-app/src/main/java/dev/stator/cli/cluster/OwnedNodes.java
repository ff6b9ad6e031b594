package dev.stator.cli.cluster;

import dev.stator.cli.CommandException;
import java.time.Duration;

/**
 * The nodes of a cluster that are this process's: they end with it, also when it is interrupted or
 * terminated while they start, unless they are released. One thread, beside the one that ends the
 * process.
 */
final class OwnedNodes implements AutoCloseable {
  private static final Duration END_TIME_MAX = Duration.ofSeconds(5); // Then nodes are killed.

  private final ClusterFolder folder;
  private final ClusterPlan plan;
  private final LocalNodes nodes;
  private final Runnable afterwards;
  private final Thread onSignal = new Thread(this::end, "end-on-signal");
  private boolean isOver; // Ended, or released. Guarded by this.

  /**
   * @param afterwards runs when they have ended, once, on whatever thread
   */
  OwnedNodes(ClusterFolder folder, ClusterPlan plan, Runnable afterwards) {
    this.folder = folder;
    this.plan = plan;
    this.nodes = new LocalNodes(folder);
    this.afterwards = afterwards;
    Runtime.getRuntime().addShutdownHook(onSignal);
  }

  /**
   * Starts all of them; returns when they serve.
   *
   * @throws CommandException when they do not, or this process is told to end meanwhile
   */
  void start(NodeProcesses processes, StartWatch watch) throws InterruptedException {
    for (NodePlan node : plan.nodes()) {
      synchronized (this) { // So that none is started which the end has not seen.
        if (isOver) throw interrupted();
        processes.start(plan, node.alone());
      }
    }
    try {
      watch.await(plan, plan.nodes());
    } catch (CommandException failure) {
      throw isOver() ? interrupted() : failure; // They ended because they were to.
    }
  }

  private synchronized boolean isOver() {
    return isOver;
  }

  /**
   * They outlive this process from now on.
   *
   * @throws CommandException when it is told to end already
   */
  void release() {
    synchronized (this) {
      if (isOver) throw interrupted();
      isOver = true;
    }
    forgetSignal();
  }

  private static CommandException interrupted() {
    return new CommandException("interrupted");
  }

  /** Ends what has not been released. */
  @Override
  public void close() {
    end();
    forgetSignal();
  }

  private void forgetSignal() {
    try {
      Runtime.getRuntime().removeShutdownHook(onSignal);
    } catch (IllegalStateException signalled) {
      // The hook runs, too: nothing is left for it.
    }
  }

  private synchronized void end() {
    if (isOver) return;
    isOver = true;
    nodes.terminate(plan.nodes());
    try {
      final long deadlineNs = System.nanoTime() + END_TIME_MAX.toNanos();
      for (NodePlan node : plan.nodes()) {
        nodes.awaitEnd(node, Duration.ofNanos(Math.max(0, deadlineNs - System.nanoTime())));
      }
      nodes.killAll(plan.nodes());
    } catch (InterruptedException interrupted) {
      plan.nodes().forEach(this::killNow);
      Thread.currentThread().interrupt();
    }
    afterwards.run();
  }

  private void killNow(NodePlan node) {
    folder.process(node.name()).ifPresent(process -> process.signal("KILL"));
  }
}
