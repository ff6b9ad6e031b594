package dev.stator.cli.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.cli.CliContext;
import dev.stator.cli.CommandException;
import dev.stator.cli.EngineOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.net.URI;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Map;

/**
 * A cluster of processes on this machine that ends with the one that started it, also when that is
 * interrupted or terminated. Used by one thread.
 */
public final class TemporaryCluster implements AutoCloseable {
  private static final String LOOPBACK = "127.0.0.1";
  private static final Duration END_TIME_MAX = Duration.ofSeconds(5); // Then nodes are killed.
  private static final Duration QUESTION_TIMEOUT = Duration.ofSeconds(5);

  /**
   * What to start.
   *
   * @param prefill nodes that begin so, with a slot each
   * @param decode likewise
   * @param model as the user named it; {@code null} for the bundled one
   */
  public record Shape(int prefill, int decode, String model, EngineOptions engine) {}

  private final ClusterFolder folder;
  private final ClusterPlan plan;
  private final LocalNodes nodes;
  private final Thread onSignal = new Thread(this::end, "end-on-signal");
  private final ClusterClient client = new ClusterClient(QUESTION_TIMEOUT);
  private boolean isEnding; // Guarded by this.

  private TemporaryCluster(ClusterFolder folder, ClusterPlan plan) {
    this.folder = folder;
    this.plan = plan;
    this.nodes = new LocalNodes(folder);
  }

  /**
   * Returns when the cluster serves.
   *
   * @param name of its folder below {@code state}, where its logs are
   * @throws CommandException when it does not serve in time
   */
  public static TemporaryCluster start(
      CliContext context, Path state, String name, Shape shape, Duration patience)
      throws InterruptedException {
    final ClusterFolder folder = ClusterFolder.of(Map.of("XDG_STATE_HOME", state.toString()), name);
    final var wanted =
        new ClusterPlanner.Wanted(
            shape.prefill(),
            shape.decode(),
            1,
            1,
            LOOPBACK,
            0,
            shape.model(),
            null,
            shape.engine());
    final ClusterPlan plan = new ClusterPlanner(context, folder, wanted, new SecureRandom()).plan();
    folder.begin(plan);
    final TemporaryCluster cluster = new TemporaryCluster(folder, plan);
    try {
      Runtime.getRuntime().addShutdownHook(cluster.onSignal);
      cluster.startNodes(new NodeProcesses(context, folder));
      new StartWatch(folder, new PrintWriter(Writer.nullWriter()), patience)
          .await(plan, plan.nodes());
      return cluster;
    } catch (RuntimeException | InterruptedException failure) {
      cluster.close();
      throw failure;
    }
  }

  private void startNodes(NodeProcesses processes) {
    for (NodePlan node : plan.nodes()) {
      synchronized (this) {
        if (isEnding) throw new CommandException("interrupted");
        processes.start(plan, node.alone());
      }
    }
  }

  /** Where clients are served. */
  public URI address() {
    return UpCommand.frontend(folder, plan);
  }

  /** What {@code GET /cluster} says. */
  public JsonNode view() throws InterruptedException {
    try {
      return client.cluster(address());
    } catch (IOException failure) {
      throw new CommandException("the cluster does not answer: " + failure.getMessage(), failure);
    }
  }

  @Override
  public void close() {
    client.close();
    end();
    try {
      Runtime.getRuntime().removeShutdownHook(onSignal);
    } catch (IllegalStateException signalled) {
      // The hook runs, too: nothing is left for it.
    }
  }

  private synchronized void end() {
    if (isEnding) return;
    isEnding = true;
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
  }

  private void killNow(NodePlan node) {
    folder.process(node.name()).ifPresent(process -> process.signal("KILL"));
  }
}
