package dev.stator.cli.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.cli.StateFile;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** The nodes of a cluster of this machine that can tell about it, frontends first. */
record Observers(ClusterFolder folder, ClusterPlan plan) {
  private static final Duration TIMEOUT = Duration.ofSeconds(3);

  /** Where those answer whose processes run. */
  List<URI> addresses() {
    return plan.nodes().stream()
        .sorted(Comparator.comparing(node -> !node.isFrontend()))
        .filter(node -> folder.state(node.name()) == ProcessMark.State.RUNNING)
        .flatMap(node -> folder.served(node.name()).stream())
        .map(StateFile::http)
        .toList();
  }

  /** What the first of them that answers knows. */
  Optional<JsonNode> view() throws InterruptedException {
    try (ClusterClient client = new ClusterClient(TIMEOUT)) {
      return Optional.of(ClusterClient.firstAnswer(addresses(), client::cluster));
    } catch (IOException silent) {
      return Optional.empty();
    }
  }
}
