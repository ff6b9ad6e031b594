package dev.stator.cli.cluster;

import dev.stator.cli.CliContext;
import dev.stator.cli.UsageException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code stator cluster logs}: what a node printed and logged. */
@Command(
    name = "logs",
    sortOptions = false,
    abbreviateSynopsis = true,
    description = "Show what a node has printed and logged, in all of its lives.",
    footer = {
      "",
      "Example:",
      "  stator cluster logs decode-1 -n 50",
      "  stator cluster logs frontend-1 -f"
    })
final class LogsCommand implements Callable<Integer> {
  private static final Duration POLL_INTERVAL = Duration.ofMillis(200);

  private final CliContext context;

  @Spec private CommandSpec spec;

  @Parameters(index = "0", paramLabel = "NODE", description = "Such as decode-1.")
  private String node;

  @Mixin private ClusterNameOption name;

  @Option(
      names = {"-n", "--lines"},
      paramLabel = "N",
      defaultValue = "200",
      description = "How many of the last lines. Default: ${DEFAULT-VALUE}.")
  private int lineCount;

  @Option(
      names = {"-f", "--follow"},
      description = "Go on with what comes, until interrupted.")
  private boolean isFollowed;

  LogsCommand(CliContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (lineCount < 0) throw new UsageException("--lines must not be negative: " + lineCount);
    final ClusterFolder folder = name.folder(context);
    final Path log = folder.log(folder.plan().node(node).name());
    final PrintWriter out = spec.commandLine().getOut();
    final LogReader reader = LogReader.ofLast(log, lineCount);
    print(reader.next(), out);
    while (isFollowed && !out.checkError()) {
      Thread.sleep(POLL_INTERVAL);
      print(reader.next(), out);
    }
    return 0;
  }

  private static void print(String text, PrintWriter out) {
    out.print(text);
    out.flush();
  }
}
