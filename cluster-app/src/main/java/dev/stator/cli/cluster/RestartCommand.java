package dev.stator.cli.cluster;

import dev.stator.cli.CliContext;
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

/** {@code stator cluster restart}: one node after the other. */
@Command(
    name = "restart",
    sortOptions = false,
    abbreviateSynopsis = true,
    description = "Drain nodes, end them and start them again, one after the other.",
    footer = {"", "Example:", "  stator cluster restart decode-1 decode-2"})
final class RestartCommand implements Callable<Integer> {
  private final CliContext context;

  @Spec private CommandSpec spec;

  @Mixin private NodeArguments arguments;

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      defaultValue = "6m",
      description =
          "How long each may take to drain, and to serve again. Default: ${DEFAULT-VALUE}.")
  private String timeout;

  RestartCommand(CliContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws InterruptedException {
    final ClusterFolder folder = arguments.folder(context);
    final Duration patience = Durations.parse("--timeout", timeout);
    final NodeProcesses processes = new NodeProcesses(context, folder);
    final LocalNodes local = new LocalNodes(folder);
    final PrintWriter out = spec.commandLine().getOut();
    try (ClusterFolder.Lock _ = folder.lock()) {
      final ClusterPlan plan = folder.plan();
      for (NodePlan node : arguments.of(plan)) {
        if (local.state(node) != ProcessMark.State.ENDED) local.stop(node, patience);
        processes.start(plan, node);
        new StartWatch(folder, out, patience).await(plan, List.of(node));
      }
    }
    return 0;
  }
}
