package dev.stator.cli.cluster;

import dev.stator.cli.CliContext;
import dev.stator.cli.Durations;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code stator cluster stop}: drained, then ended. */
@Command(
    name = "stop",
    sortOptions = false,
    abbreviateSynopsis = true,
    description =
        "Drain nodes and end them (SIGTERM), one after the other; returns when they have ended.",
    footer = {"", "Example:", "  stator cluster stop decode-1"})
final class StopCommand implements Callable<Integer> {
  private final CliContext context;

  @Spec private CommandSpec spec;

  @Mixin private NodeArguments arguments;

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      defaultValue = "6m",
      description = "How long to wait for each. Default: ${DEFAULT-VALUE}.")
  private String timeout;

  StopCommand(CliContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws InterruptedException {
    final ClusterFolder folder = arguments.folder(context);
    final Duration patience = Durations.parse("--timeout", timeout);
    final LocalNodes nodes = new LocalNodes(folder);
    final PrintWriter out = spec.commandLine().getOut();
    for (NodePlan node : arguments.of(folder.plan())) {
      final long startNs = System.nanoTime();
      nodes.stop(node, patience);
      final Duration taken = Duration.ofNanos(System.nanoTime() - startNs);
      out.printf("%s has drained and ended in %s%n", node.name(), Durations.format(taken));
      out.flush();
    }
    return 0;
  }
}
