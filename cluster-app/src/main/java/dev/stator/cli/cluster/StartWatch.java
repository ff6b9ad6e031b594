package dev.stator.cli.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.cli.CommandException;
import dev.stator.cli.Durations;
import dev.stator.cli.StateFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Waits until nodes that were started serve, and says how it goes. One thread. */
final class StartWatch {
  private static final Duration POLL_INTERVAL = Duration.ofMillis(50);
  private static final Duration QUESTION_TIMEOUT = Duration.ofSeconds(5);
  private static final int LOG_LINES = 20;

  private final ClusterFolder folder;
  private final PrintWriter out;
  private final Duration timeout;
  private final long startNs = System.nanoTime();

  StartWatch(ClusterFolder folder, PrintWriter out, Duration timeout) {
    this.folder = folder;
    this.out = out;
    this.timeout = timeout;
  }

  /**
   * Returns when all of these nodes are ready and one frontend, if there is one, sees them serve.
   *
   * @throws CommandException when a node ends, with its last words, or time is up
   */
  void await(ClusterPlan plan, List<NodePlan> nodes) throws InterruptedException {
    final List<NodePlan> missing = new ArrayList<>(nodes);
    final int width = nodes.stream().mapToInt(node -> node.name().length()).max().orElse(0);
    while (!missing.isEmpty()) {
      for (NodePlan node : List.copyOf(missing)) {
        final Optional<StateFile> served = folder.served(node.name());
        if (served.isPresent()) {
          missing.remove(node);
          out.printf("  %-" + width + "s  ready in %s%n", node.name(), Durations.format(elapsed()));
          out.flush();
        } else if (folder.state(node.name()) == ProcessMark.State.ENDED) {
          throw ended(node);
        }
      }
      if (!missing.isEmpty()) pause(names(missing));
    }
    awaitSeen(plan, nodes);
  }

  private CommandException ended(NodePlan node) {
    return new CommandException(
        "%s did not start; its log ends so:\n%s"
            .formatted(
                node.name(),
                lastWords(node)
                    .lines()
                    .map(line -> "  | " + line)
                    .collect(Collectors.joining("\n"))));
  }

  private String lastWords(NodePlan node) {
    try {
      return LogReader.ofLast(folder.log(node.name()), LOG_LINES).next();
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  /** Every node that lives and shows the cluster must show these serving. */
  private void awaitSeen(ClusterPlan plan, List<NodePlan> nodes) throws InterruptedException {
    try (ClusterClient client = new ClusterClient(QUESTION_TIMEOUT)) {
      for (NodePlan observer : plan.nodes()) {
        if (!observer.isFrontend()) continue;
        while (isAlive(observer) && !isSeen(client, observer, nodes)) {
          for (NodePlan node : nodes) if (!isAlive(node)) throw ended(node);
          pause(names(nodes) + " as " + observer.name() + " sees it");
        }
      }
    }
  }

  private boolean isAlive(NodePlan node) {
    return folder.state(node.name()) == ProcessMark.State.RUNNING;
  }

  private boolean isSeen(ClusterClient client, NodePlan observer, List<NodePlan> nodes)
      throws InterruptedException {
    final Optional<URI> address = folder.served(observer.name()).map(StateFile::http);
    if (address.isEmpty()) return false;
    try {
      final JsonNode view = client.cluster(address.get());
      return nodes.stream().allMatch(node -> serves(view, node.name()))
          && !view.path("models").isEmpty()
          && client.get(address.get(), "/health").status() == 200
          && !client.get(address.get(), "/v1/models").body().path("data").isEmpty();
    } catch (IOException notYet) {
      return false;
    }
  }

  private static boolean serves(JsonNode view, String name) {
    for (JsonNode node : view.path("nodes")) {
      if (node.path("name").asText().equals(name)) {
        return node.path("state").asText().equals("serving");
      }
    }
    return false;
  }

  Duration elapsed() {
    return Duration.ofNanos(System.nanoTime() - startNs);
  }

  private void pause(String waitedFor) throws InterruptedException {
    if (elapsed().compareTo(timeout) > 0) {
      throw new CommandException(
          "not ready within %s: %s; 'stator cluster logs NODE' shows why"
              .formatted(Durations.format(timeout), waitedFor));
    }
    Thread.sleep(POLL_INTERVAL);
  }

  private static String names(List<NodePlan> nodes) {
    return nodes.stream().map(NodePlan::name).collect(Collectors.joining(", "));
  }
}
