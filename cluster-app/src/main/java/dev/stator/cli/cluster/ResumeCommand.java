package dev.stator.cli.cluster;

import dev.stator.cli.CliContext;
import dev.stator.cli.CommandException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code stator cluster resume}: the end of a hang. */
@Command(
    name = "resume",
    sortOptions = false,
    abbreviateSynopsis = true,
    description = "Let nodes that hang go on (SIGCONT).",
    footer = {
      "",
      "Example:",
      "  stator cluster resume prefill-1"
    })
final class ResumeCommand implements Callable<Integer> {
  private final CliContext context;

  @Spec private CommandSpec spec;

  @Mixin private NodeArguments arguments;

  ResumeCommand(CliContext context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    final ClusterFolder folder = arguments.folder(context);
    final LocalNodes nodes = new LocalNodes(folder);
    final PrintWriter out = spec.commandLine().getOut();
    for (NodePlan node : arguments.of(folder.plan())) {
      final ProcessMark process = nodes.living(node);
      if (process.state() != ProcessMark.State.HUNG) {
        throw new CommandException(node.name() + " does not hang");
      }
      process.signal("CONT");
      out.printf("%s (process %d) goes on%n", node.name(), process.pid());
    }
    out.flush();
    return 0;
  }
}
