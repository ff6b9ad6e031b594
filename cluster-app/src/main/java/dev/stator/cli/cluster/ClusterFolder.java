package dev.stator.cli.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.stator.cli.CommandException;
import dev.stator.cli.FileTrees;
import dev.stator.cli.StateFile;
import dev.stator.cli.UsageException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What this machine remembers of one of its clusters, below {@code $XDG_STATE_HOME} or {@code
 * ~/.local/state}:
 *
 * <pre>
 *   stator/clusters/NAME/cluster.json          the plan: how each node is started
 *                        lock                  held by the command that changes something
 *                        NODE/process.json     the process that was started last: number and start
 *                             state.json       written by the node when it serves: where
 *                             node.log         what it printed and logged
 * </pre>
 */
public final class ClusterFolder {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");
  private static final String PLAN_FILE = "cluster.json";
  private static final String PROCESS_FILE = "process.json";
  static final String DEFAULT_NAME = "local";

  private final String name;
  private final Path folder;

  private ClusterFolder(String name, Path folder) {
    this.name = name;
    this.folder = folder;
  }

  /**
   * The folder of a cluster, which need not exist.
   *
   * @throws UsageException when the name cannot be one
   */
  public static ClusterFolder of(Map<String, String> environment, String name) {
    if (!NAME.matcher(name).matches()) {
      throw new UsageException(
          "a cluster's name is 1 to 63 letters, digits, '.', '_' or '-': '" + name + "'");
    }
    return new ClusterFolder(name, root(environment).resolve(name));
  }

  /**
   * The cluster that is meant when none is named: the only one there is, else {@code local}.
   *
   * @param name {@code null} for none
   */
  public static ClusterFolder meant(Map<String, String> environment, String name) {
    if (name != null) return of(environment, name);
    final List<String> names = names(environment);
    return of(environment, names.size() == 1 ? names.getFirst() : DEFAULT_NAME);
  }

  /** All clusters that are remembered. */
  static List<String> names(Map<String, String> environment) {
    final Path root = root(environment);
    if (!Files.isDirectory(root)) return List.of();
    try (Stream<Path> folders = Files.list(root)) {
      return folders
          .filter(folder -> Files.isRegularFile(folder.resolve(PLAN_FILE)))
          .map(folder -> folder.getFileName().toString())
          .sorted()
          .toList();
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  private static Path root(Map<String, String> environment) {
    final String state = environment.get("XDG_STATE_HOME");
    final Path base =
        state != null && !state.isEmpty()
            ? Path.of(state)
            : Path.of(environment.getOrDefault("HOME", System.getProperty("user.home")))
                .resolve(".local/state");
    return base.toAbsolutePath().resolve("stator/clusters");
  }

  public String name() {
    return name;
  }

  Path path() {
    return folder;
  }

  /**
   * The plan of a cluster that has been started.
   *
   * @throws CommandException when there is none of this name
   */
  public ClusterPlan plan() {
    try {
      return ClusterPlan.parse(Files.readString(folder.resolve(PLAN_FILE)));
    } catch (NoSuchFileException none) {
      throw new CommandException(
          "there is no cluster '%s' on this machine; 'stator cluster up --name %s' starts one"
              .formatted(name, name));
    } catch (IOException broken) {
      throw new CommandException(
          "cannot understand %s: %s".formatted(folder.resolve(PLAN_FILE), broken.getMessage()));
    }
  }

  /** Whether a process of the cluster lives. */
  boolean isUp() {
    return Files.isRegularFile(folder.resolve(PLAN_FILE))
        && plan().nodes().stream().anyMatch(node -> state(node.name()) != ProcessMark.State.ENDED);
  }

  /** Forgets what was there, and remembers this plan. */
  void begin(ClusterPlan plan) {
    try {
      forget();
      Files.createDirectories(folder);
      for (NodePlan node : plan.nodes()) Files.createDirectories(nodeFolder(node.name()));
      write(folder.resolve(PLAN_FILE), plan.toJson());
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  private void forget() throws IOException {
    if (!Files.isDirectory(folder)) return;
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.filter(file -> !file.equals(lockFile())).toList()) {
        FileTrees.delete(file);
      }
    }
  }

  Path log(String node) {
    return nodeFolder(node).resolve("node.log");
  }

  Path stateFile(String node) {
    return nodeFolder(node).resolve("state.json");
  }

  private Path nodeFolder(String node) {
    return folder.resolve(node);
  }

  private Path lockFile() {
    return folder.resolve("lock");
  }

  /** The process that was started last for a node, alive or not. */
  Optional<ProcessMark> process(String node) {
    try {
      final JsonNode json = JSON.readTree(Files.readString(nodeFolder(node).resolve(PROCESS_FILE)));
      return Optional.of(new ProcessMark(json.path("pid").asLong(), json.path("start").asText()));
    } catch (NoSuchFileException never) {
      return Optional.empty();
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  ProcessMark.State state(String node) {
    return process(node).map(ProcessMark::state).orElse(ProcessMark.State.ENDED);
  }

  /**
   * Where a node answers; empty before it serves, and when what is written is of an earlier life.
   */
  Optional<StateFile> served(String node) {
    final Optional<ProcessMark> process = process(node);
    return StateFile.read(stateFile(node))
        .filter(state -> process.isPresent() && state.pid() == process.get().pid())
        .filter(state -> process.get().isAlive());
  }

  /**
   * Where clients are served by the first frontend that lives.
   *
   * @throws CommandException when none does
   */
  URI frontend(ClusterPlan plan) {
    return plan.nodes().stream()
        .filter(NodePlan::isFrontend)
        .flatMap(node -> served(node.name()).stream())
        .findFirst()
        .orElseThrow(() -> new CommandException("no frontend of cluster '" + name + "' lives"))
        .http();
  }

  void remember(String node, ProcessMark process) throws IOException {
    Files.deleteIfExists(stateFile(node));
    write(
        nodeFolder(node).resolve(PROCESS_FILE),
        JSON.createObjectNode().put("pid", process.pid()).put("start", process.start()).toString());
  }

  private static void write(Path file, String text) throws IOException {
    final Path draft = file.resolveSibling(file.getFileName() + ".new");
    Files.writeString(draft, text);
    Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /**
   * A command's right to start nodes, or to end the cluster. Commands that only signal nodes (kill,
   * stop, resume) do without: they write nothing here, a signal reaches the life that it was meant
   * for or nobody, and a node that is waited for under the lock must be there to be killed.
   */
  final class Lock implements AutoCloseable {
    private final FileChannel channel;

    private Lock(FileChannel channel) {
      this.channel = channel;
    }

    /** Gives it back; the system does that too when the process ends. */
    @Override
    public void close() {
      try {
        channel.close();
      } catch (IOException broken) {
        throw new UncheckedIOException(broken);
      }
    }
  }

  /**
   * @throws CommandException when another command has it
   */
  Lock lock() {
    try {
      Files.createDirectories(folder);
      final FileChannel channel =
          FileChannel.open(lockFile(), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (isTaken(channel)) return new Lock(channel);
      channel.close();
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
    throw new CommandException(
        "another command is changing cluster '%s'; try again when it is done".formatted(name));
  }

  private static boolean isTaken(FileChannel channel) throws IOException {
    try {
      final FileLock lock = channel.tryLock();
      return lock != null;
    } catch (OverlappingFileLockException ours) {
      return false;
    }
  }
}
