package dev.stator.cli;

import dev.stator.cli.cluster.ClusterCommand;
import dev.stator.cli.cluster.DrainCommand;
import dev.stator.cli.cluster.StatusCommand;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The {@code stator} command: what its parts share, and how an error reaches the user. */
@Command(
    name = "stator",
    versionProvider = Version.class,
    synopsisSubcommandLabel = "COMMAND",
    description = "Serves large language models.",
    footer = {
      "",
      "The launcher has one command more:",
      "  prepare  Make the start-up cache now, for images; else the first 'stator serve' makes it.",
      "",
      "Exit codes: 0 done, 1 failed, 2 wrong usage.",
      "",
      "Example: serve the bundled model on http://127.0.0.1:8080",
      "  stator serve"
    })
public final class StatorCli implements Runnable {
  private static final int USAGE_COLUMNS = 100;
  private static final String REHEARSE = "rehearse";

  @Spec private CommandSpec spec;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      scope = CommandLine.ScopeType.INHERIT,
      description = "Show this help and exit.")
  private boolean helpRequested;

  @Option(
      names = {"-V", "--version"},
      versionHelp = true,
      description = "Show the version and exit.")
  private boolean versionRequested;

  private StatorCli() {}

  /**
   * Runs a command line in this process.
   *
   * @return the exit code: 0 done, 1 failed, 2 wrong usage
   */
  public static int run(NodeStarter starter, String... arguments) {
    StandardError.restore();
    return commandLine(CliContext.ofProcess(starter), arguments)
        .setOut(utf8(System.out))
        .setErr(utf8(System.err))
        .execute(arguments);
  }

  /**
   * The command that the arguments begin with, else all of them; {@code execute} runs one and
   * answers its exit code. To describe all of them to picocli takes a fifth of a server's start; a
   * rehearsal does, so that the start-up cache knows them.
   */
  public static CommandLine commandLine(CliContext context, String... arguments) {
    final Map<String, Supplier<CommandLine>> known = commands(context);
    final boolean isNamed =
        arguments.length > 0 && known.containsKey(arguments[0]) && !arguments[0].equals(REHEARSE);
    final CommandLine commands = new CommandLine(new StatorCli());
    for (String name : isNamed ? Set.of(arguments[0]) : known.keySet()) {
      commands.addSubcommand(name, known.get(name).get());
    }
    commands.setUsageHelpWidth(USAGE_COLUMNS);
    commands.setCaseInsensitiveEnumValuesAllowed(true);
    commands.setParameterExceptionHandler(StatorCli::onWrongUsage);
    commands.setExecutionExceptionHandler(StatorCli::onFailure);
    return commands;
  }

  private static Map<String, Supplier<CommandLine>> commands(CliContext context) {
    final Map<String, Supplier<CommandLine>> commands = new LinkedHashMap<>();
    commands.put("serve", () -> new CommandLine(new ServeCommand(context)));
    commands.put("seed", () -> new CommandLine(new SeedCommand(context)));
    commands.put("join", () -> new CommandLine(new JoinCommand(context)));
    commands.put("cluster", () -> ClusterCommand.commandLine(context));
    commands.put("status", () -> new CommandLine(new StatusCommand(context)));
    commands.put("drain", () -> new CommandLine(new DrainCommand(context)));
    commands.put("chat", () -> new CommandLine(new ChatCommand(context)));
    commands.put("run", () -> new CommandLine(new RunCommand(context)));
    commands.put("inspect", () -> new CommandLine(new InspectCommand(context)));
    commands.put("bench", () -> benchCommand(context));
    commands.put(REHEARSE, () -> new CommandLine(new RehearseCommand(context)));
    commands.put("version", () -> new CommandLine(new VersionCommand()));
    return commands;
  }

  private static CommandLine benchCommand(CliContext context) {
    return new CommandLine(new BenchCommand(context))
        .addSubcommand(new TransferBenchCommand())
        .addSubcommand(new KernelBenchCommand())
        .addSubcommand(new EngineBenchCommand(context))
        .addSubcommand(new PlannerBenchCommand(context));
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "A command is missing");
  }

  private static int onWrongUsage(ParameterException wrong, String[] arguments) {
    return complain(wrong.getCommandLine(), wrong.getMessage());
  }

  private static int onFailure(
      Exception failure, CommandLine command, CommandLine.ParseResult parsed) {
    if (failure instanceof UsageException) return complain(command, failure.getMessage());
    final PrintWriter err = command.getErr();
    err.println("error: " + Failures.sentence(failure));
    if (LoggingOptions.isVerbose()) failure.printStackTrace(err);
    err.flush();
    return CommandLine.ExitCode.SOFTWARE;
  }

  private static int complain(CommandLine command, String message) {
    final PrintWriter err = command.getErr();
    err.println("error: " + message);
    err.println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
    err.flush();
    return CommandLine.ExitCode.USAGE;
  }

  private static PrintWriter utf8(OutputStream stream) {
    return new PrintWriter(new OutputStreamWriter(stream, StandardCharsets.UTF_8), true);
  }
}
