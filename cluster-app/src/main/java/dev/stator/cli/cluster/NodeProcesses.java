package dev.stator.cli.cluster;

import dev.stator.cli.CliContext;
import dev.stator.cli.CommandException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Starts a cluster's nodes as processes that outlive this one, through the launcher. */
final class NodeProcesses {
  private static final Path SETSID = Path.of("/usr/bin/setsid");
  private static final long LOG_BYTES_MAX = 64L << 20;

  // The launcher's.
  private static final String JAVA_HOME = "STATOR_JAVA_HOME";
  private static final String CACHE = "STATOR_CACHE";
  private static final String CACHE_OFF = "off";

  private final ClusterFolder folder;
  private final Path launcher;
  private final Map<String, String> environment;

  NodeProcesses(CliContext context, ClusterFolder folder) {
    this.folder = folder;
    this.environment = context.environment();
    this.launcher = launcher(context);
  }

  private static Path launcher(CliContext context) {
    return context
        .home()
        .map(home -> home.resolve("bin/stator"))
        .filter(Files::isExecutable)
        .orElseThrow(() ->
            new CommandException(
                "the launcher bin/stator is needed to start nodes: run this through it"));
  }

  /** As {@link TemporaryCluster#prepare}. */
  static void prepare(CliContext context) throws InterruptedException {
    if (CACHE_OFF.equals(context.environment().get(CACHE))) return;
    final ProcessBuilder builder = new ProcessBuilder(launcher(context).toString(), "prepare");
    builder.environment().put(JAVA_HOME, System.getProperty("java.home"));
    builder.redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD);
    try {
      final int exitCode = OwnedCommand.run(builder, OwnedCommand.AtEnd.OF_THIS_PROCESS);
      if (exitCode == 0) return;
    } catch (IOException broken) {
      throw new CommandException("the launcher cannot be run: " + broken.getMessage(), broken);
    }
    throw new CommandException(
        "no start-up cache can be made; '%s=%s' does without".formatted(CACHE, CACHE_OFF));
  }

  /** Starts a node's process; its log goes on where an earlier life's ended. */
  ProcessMark start(ClusterPlan plan, NodePlan node) {
    try {
      final Path log = folder.log(node.name());
      beginLog(log);
      final ProcessBuilder builder = new ProcessBuilder(command(node));
      builder.environment().put(JAVA_HOME, System.getProperty("java.home"));
      builder.environment().put("STATOR_JAVA_OPTS", javaOptions(plan));
      builder
          .redirectInput(Path.of("/dev/null").toFile())
          .redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
      final Process process = builder.start();
      final ProcessMark mark =
          ProcessMark.of(process.pid())
              .orElseGet(() -> new ProcessMark(process.pid(), "ended at once"));
      folder.remember(node.name(), mark);
      return mark;
    } catch (IOException broken) {
      throw new CommandException(
          "the process of %s cannot be started: %s".formatted(node.name(), broken.getMessage()),
          broken);
    }
  }

  /** A session of its own, where there are any: the terminal's signals are for the command. */
  private List<String> command(NodePlan node) {
    final List<String> words = new ArrayList<>();
    if (Files.isExecutable(SETSID)) words.add(SETSID.toString());
    words.add(launcher.toString());
    words.addAll(node.arguments());
    return words;
  }

  private String javaOptions(ClusterPlan plan) {
    final String options = String.join(" ", plan.javaOptions());
    final String own = environment.getOrDefault("STATOR_JAVA_OPTS", "");
    return (options + " " + own).strip(); // The user's win: they come later.
  }

  private static void beginLog(Path log) throws IOException {
    if (Files.exists(log) && Files.size(log) > LOG_BYTES_MAX) {
      Files.move(log, log.resolveSibling("node.log.1"), StandardCopyOption.REPLACE_EXISTING);
    }
    Files.writeString(
        log,
        "--- started " + Instant.now().truncatedTo(ChronoUnit.SECONDS) + "\n",
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
  }
}
