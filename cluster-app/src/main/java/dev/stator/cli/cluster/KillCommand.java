package dev.stator.cli.cluster;

import dev.stator.cli.CliContext;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code stator cluster kill}: as a crash would end a node, or a machine that hangs would stop it. */
@Command(
    name = "kill",
    sortOptions = false,
    abbreviateSynopsis = true,
    description = "End nodes without a word (SIGKILL), or make them hang (SIGSTOP).",
    footer = {
      "",
      "Example:",
      "  stator cluster kill decode-1",
      "  stator cluster kill --hang prefill-1"
    })
final class KillCommand implements Callable<Integer> {
  private final CliContext context;

  @Spec private CommandSpec spec;

  @Mixin private NodeArguments arguments;

  @Option(
      names = "--hang",
      description = "Stop them where they are instead (SIGSTOP); 'resume' lets them go on.")
  private boolean hangs;

  KillCommand(CliContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws InterruptedException {
    final ClusterFolder folder = arguments.folder(context);
    final LocalNodes nodes = new LocalNodes(folder);
    final PrintWriter out = spec.commandLine().getOut();
    for (NodePlan node : arguments.of(folder.plan())) {
      final ProcessMark process = nodes.living(node);
      if (hangs) {
        process.signal("STOP");
      } else {
        nodes.kill(node);
      }
      out.printf("%s (process %d) %s%n", node.name(), process.pid(), hangs ? "hangs" : "is killed");
    }
    out.flush();
    return 0;
  }
}
