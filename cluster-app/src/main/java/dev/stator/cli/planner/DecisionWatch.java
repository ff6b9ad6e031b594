package dev.stator.cli.planner;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.cli.CommandException;
import dev.stator.cli.cluster.TemporaryCluster;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Collects what the planner of a cluster decides, which shows only its last decisions: looks again
 * and again, on a thread of its own, until it is closed.
 */
final class DecisionWatch implements AutoCloseable {
  private static final Duration POLL_INTERVAL = Duration.ofSeconds(1);

  private record Seen(Instant at, boolean move, String decision) {}

  private final TemporaryCluster cluster;
  private final Instant start = Instant.now();
  private final Set<Seen> seen = new LinkedHashSet<>(); // The thread's, until it has ended.
  private final Thread thread;

  DecisionWatch(TemporaryCluster cluster) {
    this.cluster = cluster;
    this.thread = Thread.ofVirtual().name("decision-watch").start(this::watch);
  }

  private void watch() {
    try {
      while (true) {
        Thread.sleep(POLL_INTERVAL);
        look();
      }
    } catch (InterruptedException closed) {
      // The end.
    }
  }

  private void look() throws InterruptedException {
    final JsonNode view;
    try {
      view = cluster.view();
    } catch (CommandException busy) {
      return; // The next look sees the same decisions.
    }
    for (JsonNode note : view.at("/planner/decisions")) {
      final Instant at = Instant.parse(note.path("at").asText());
      if (at.isBefore(start)) continue;
      seen.add(new Seen(at, note.path("move").asBoolean(), note.path("decision").asText()));
    }
  }

  /** Ends it; what was decided since it began, oldest first. */
  List<PlannerBenchReport.Decision> decisions() throws InterruptedException {
    close();
    thread.join();
    look();
    return seen.stream()
        .sorted((a, b) -> a.at().compareTo(b.at()))
        .map(each ->
            new PlannerBenchReport.Decision(
                Duration.between(start, each.at()).toMillis() / 1e3, each.move(), each.decision()))
        .toList();
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
