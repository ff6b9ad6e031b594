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

/** {@code stator cluster start}: a node again, with the arguments it had. */
@Command(
    name = "start",
    sortOptions = false,
    abbreviateSynopsis = true,
    description = "Start nodes again, as they were started before; returns when they serve.",
    footer = {
      "",
      "Example:",
      "  stator cluster start decode-1"
    })
final class StartCommand implements Callable<Integer> {
  private final CliContext context;

  @Spec private CommandSpec spec;

  @Mixin private NodeArguments arguments;

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      defaultValue = "2m",
      description = "How long to wait until they serve. Default: ${DEFAULT-VALUE}.")
  private String timeout;

  StartCommand(CliContext context) {
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
      final List<NodePlan> nodes = arguments.of(plan);
      for (NodePlan node : nodes) {
        if (local.state(node) != ProcessMark.State.ENDED) {
          throw new CommandException(
              "%s runs already; 'stator cluster restart %s' drains it first"
                  .formatted(node.name(), node.name()));
        }
      }
      for (NodePlan node : nodes) processes.start(plan, node);
      new StartWatch(folder, out, patience).await(plan, nodes);
    }
    return 0;
  }
}
