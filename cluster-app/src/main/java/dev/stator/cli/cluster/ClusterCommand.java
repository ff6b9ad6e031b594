package dev.stator.cli.cluster;

import dev.stator.cli.CliContext;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code stator cluster}: whole clusters of processes on this machine. */
@Command(
    name = "cluster",
    synopsisSubcommandLabel = "COMMAND",
    description = "Run a whole cluster on this machine, a process a node.",
    footer = {
      "",
      "Example: two prefill and two decode nodes behind http://127.0.0.1:8080",
      "  stator cluster up --prefill 2 --decode 2",
      "  stator cluster status",
      "  stator cluster down"
    })
public final class ClusterCommand implements Runnable {
  @Spec private CommandSpec spec;

  private ClusterCommand() {}

  /** The command with all of its own. */
  public static CommandLine commandLine(CliContext context) {
    return new CommandLine(new ClusterCommand())
        .addSubcommand(new UpCommand(context))
        .addSubcommand(new ClusterStatusCommand(context))
        .addSubcommand(new LogsCommand(context))
        .addSubcommand(new KillCommand(context))
        .addSubcommand(new ResumeCommand(context))
        .addSubcommand(new StopCommand(context))
        .addSubcommand(new StartCommand(context))
        .addSubcommand(new RestartCommand(context))
        .addSubcommand(new DownCommand(context));
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "A command is missing");
  }
}
