package dev.stator.cli.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.cli.CliContext;
import dev.stator.cli.CommandException;
import dev.stator.cli.EngineOptions;
import dev.stator.cli.FileTrees;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * A cluster of processes on this machine that ends with the one that started it, also when that is
 * interrupted or terminated. Started and closed by one thread; any may look.
 */
public final class TemporaryCluster implements AutoCloseable {
  private static final String LOOPBACK = "127.0.0.1";
  private static final Duration QUESTION_TIMEOUT = Duration.ofSeconds(5);

  /**
   * What to start.
   *
   * @param prefill nodes that begin so, with a slot each
   * @param decode likewise
   * @param model as the user named it; {@code null} for the bundled one
   */
  public record Shape(int prefill, int decode, String model, EngineOptions engine) {}

  private final ClusterFolder folder;
  private final ClusterPlan plan;
  private final OwnedNodes nodes;
  private final ClusterClient client = new ClusterClient(QUESTION_TIMEOUT);

  private TemporaryCluster(ClusterFolder folder, ClusterPlan plan, OwnedNodes nodes) {
    this.folder = folder;
    this.plan = plan;
    this.nodes = nodes;
  }

  /**
   * Makes the start-up cache of the nodes' launcher, unless it is there or switched off. Otherwise
   * the first cluster's nodes would make it beside their work.
   */
  public static void prepare(CliContext context) throws InterruptedException {
    NodeProcesses.prepare(context);
  }

  /**
   * Returns when the cluster serves.
   *
   * @param name of its folder below {@code logs}
   * @param logs where its logs stay; empty for a folder that goes with the cluster
   * @throws CommandException when it does not serve in time
   */
  public static TemporaryCluster start(
      CliContext context, Optional<Path> logs, String name, Shape shape, Duration patience)
      throws IOException, InterruptedException {
    final Path state =
        logs.isPresent() ? logs.get().toAbsolutePath() : Files.createTempDirectory("stator-");
    final Runnable afterwards = logs.isPresent() ? () -> {} : () -> delete(state);
    try {
      return start(context, ClusterFolder.of(stateAt(state), name), shape, patience, afterwards);
    } catch (RuntimeException | InterruptedException failure) {
      afterwards.run();
      throw failure;
    }
  }

  private static Map<String, String> stateAt(Path folder) {
    return Map.of("XDG_STATE_HOME", folder.toString());
  }

  private static void delete(Path state) {
    try {
      FileTrees.delete(state);
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  private static TemporaryCluster start(
      CliContext context, ClusterFolder folder, Shape shape, Duration patience, Runnable afterwards)
      throws InterruptedException {
    final var wanted =
        new ClusterPlanner.Wanted(
            shape.prefill(),
            shape.decode(),
            1,
            1,
            LOOPBACK,
            0,
            shape.model(),
            null,
            shape.engine());
    final ClusterPlan plan = new ClusterPlanner(context, folder, wanted, new SecureRandom()).plan();
    folder.begin(plan);
    final var cluster =
        new TemporaryCluster(folder, plan, new OwnedNodes(folder, plan, afterwards));
    try {
      final var unheard = new PrintWriter(Writer.nullWriter());
      cluster.nodes.start(
          new NodeProcesses(context, folder), new StartWatch(folder, unheard, patience));
      return cluster;
    } catch (RuntimeException | InterruptedException failure) {
      cluster.close();
      throw failure;
    }
  }

  /** Where clients are served. */
  public URI address() {
    return folder.frontend(plan);
  }

  /** What {@code GET /cluster} says. */
  public JsonNode view() throws InterruptedException {
    try {
      return client.cluster(address());
    } catch (IOException failure) {
      throw new CommandException("the cluster does not answer: " + failure.getMessage(), failure);
    }
  }

  @Override
  public void close() {
    client.close();
    nodes.close();
  }
}
