package dev.stator.cli.cluster;

import dev.stator.cli.CliContext;
import dev.stator.cli.CommandException;
import dev.stator.cli.Durations;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code stator cluster down}: the end of a whole cluster. */
@Command(
    name = "down",
    sortOptions = false,
    abbreviateSynopsis = true,
    description = {
      "End a cluster: its frontends drain and end, then all other nodes do.",
      "Its logs stay until a cluster of the same name is started."
    },
    footer = {
      "",
      "Example:",
      "  stator cluster down"
    })
final class DownCommand implements Callable<Integer> {
  private final CliContext context;

  @Spec private CommandSpec spec;

  @Mixin private ClusterNameOption name;

  @Option(names = "--now", description = "Kill all nodes at once; what runs is cut.")
  private boolean isNow;

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      defaultValue = "40s",
      description = "Nodes that still drain by then are killed. Default: ${DEFAULT-VALUE}.")
  private String timeout;

  DownCommand(CliContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws InterruptedException {
    final ClusterFolder folder = name.folder(context);
    final Duration patience = Durations.parse("--timeout", timeout);
    final PrintWriter out = spec.commandLine().getOut();
    try (ClusterFolder.Lock _ = folder.lock()) {
      final List<NodePlan> nodes = folder.plan().nodes();
      if (!folder.isUp()) {
        throw new CommandException("cluster '%s' is not up".formatted(folder.name()));
      }
      final LocalNodes local = new LocalNodes(folder);
      int killed = 0;
      if (!isNow) {
        killed += end(local, nodes.stream().filter(NodePlan::isFrontend).toList(), patience);
        killed += end(local, nodes.stream().filter(node -> !node.isFrontend()).toList(), patience);
      }
      local.killAll(nodes);
      out.printf(
          "Cluster '%s' is down%s.%n",
          folder.name(), killed == 0 ? "" : "; %d nodes did not end in time".formatted(killed));
      out.flush();
    }
    return 0;
  }

  /** Drains nodes side by side, and answers how many had to be killed. */
  private static int end(LocalNodes local, List<NodePlan> nodes, Duration patience)
      throws InterruptedException {
    final long deadlineNs = System.nanoTime() + patience.toNanos();
    local.terminate(nodes);
    int killed = 0;
    for (NodePlan node : nodes) {
      final Duration left = Duration.ofNanos(Math.max(0, deadlineNs - System.nanoTime()));
      if (!local.awaitEnd(node, left)) killed++;
    }
    local.killAll(nodes);
    return killed;
  }
}
