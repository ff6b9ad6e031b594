package dev.stator.cli.cluster;

import dev.stator.cli.CommandException;
import dev.stator.cli.Durations;
import java.time.Duration;
import java.util.List;

/** Signals to the nodes of a cluster of this machine, and waits for their ends. One thread. */
final class LocalNodes {
  private static final Duration POLL_INTERVAL = Duration.ofMillis(20);
  private static final Duration KILL_TIME_MAX = Duration.ofSeconds(10);

  private final ClusterFolder folder;

  LocalNodes(ClusterFolder folder) {
    this.folder = folder;
  }

  ProcessMark.State state(NodePlan node) {
    return folder.state(node.name());
  }

  /**
   * The node's process.
   *
   * @throws CommandException when it does not run
   */
  ProcessMark living(NodePlan node) {
    return folder
        .process(node.name())
        .filter(ProcessMark::isAlive)
        .orElseThrow(() ->
            new CommandException(
                "%s does not run; 'stator cluster start %s' starts it again"
                    .formatted(node.name(), node.name())));
  }

  /** Ends a node without a word (SIGKILL), whatever it does. */
  void kill(NodePlan node) throws InterruptedException {
    kill(living(node));
  }

  /** Kills what lives of these nodes. */
  void killAll(List<NodePlan> nodes) throws InterruptedException {
    for (NodePlan node : nodes) {
      final var process = folder.process(node.name());
      if (process.isPresent()) process.get().signal("KILL");
    }
    for (NodePlan node : nodes) awaitEnd(node, KILL_TIME_MAX);
  }

  private void kill(ProcessMark process) throws InterruptedException {
    process.signal("KILL");
    if (!awaitEnd(process, KILL_TIME_MAX)) {
      throw new CommandException("process %d does not end".formatted(process.pid()));
    }
  }

  /** Asks nodes to drain and end (SIGTERM); those that hang could not, and are killed. */
  void terminate(List<NodePlan> nodes) {
    for (NodePlan node : nodes) {
      folder
          .process(node.name())
          .ifPresent(process ->
              process.signal(process.state() == ProcessMark.State.HUNG ? "KILL" : "TERM"));
    }
  }

  /** Whether the node's process has ended within this time. */
  boolean awaitEnd(NodePlan node, Duration timeout) throws InterruptedException {
    final var process = folder.process(node.name());
    return process.isEmpty() || awaitEnd(process.get(), timeout);
  }

  private static boolean awaitEnd(ProcessMark process, Duration timeout)
      throws InterruptedException {
    final long deadlineNs = System.nanoTime() + timeout.toNanos();
    while (process.isAlive()) {
      if (System.nanoTime() - deadlineNs > 0) return false;
      Thread.sleep(POLL_INTERVAL);
    }
    return true;
  }

  /**
   * Drains and ends one node.
   *
   * @throws CommandException when it hangs, or has not ended in time
   */
  void stop(NodePlan node, Duration timeout) throws InterruptedException {
    final ProcessMark process = living(node);
    if (process.state() == ProcessMark.State.HUNG) {
      throw new CommandException(
          "%s hangs and cannot drain: 'stator cluster resume %s' or 'kill %s' it first"
              .formatted(node.name(), node.name(), node.name()));
    }
    process.signal("TERM");
    if (!awaitEnd(process, timeout)) {
      throw new CommandException(
          "%s still drains after %s; it goes on, and 'stator cluster kill %s' ends it at once"
              .formatted(node.name(), Durations.format(timeout), node.name()));
    }
  }
}
