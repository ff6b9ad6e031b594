package dev.stator.cli.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.cli.CliContext;
import dev.stator.cli.CommandException;
import dev.stator.cli.Durations;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code stator drain NODE}: a node leaves its cluster, and nothing is lost. */
@Command(
    name = "drain",
    sortOptions = false,
    abbreviateSynopsis = true,
    description = {
      "Drain a node: it takes nothing new, finishes or hands over what runs, leaves its cluster and"
          + " ends.",
      "Returns when it has left. Taken by nodes of this machine only, unless"
          + " stator.http.admin.allow-remote is on."
    },
    footer = {
      "",
      "Examples:",
      "  stator drain decode-1",
      "  stator drain prefill-2 --url http://127.0.0.1:9000"
    })
public final class DrainCommand implements Callable<Integer> {
  private static final Duration QUESTION_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration POLL_INTERVAL = Duration.ofMillis(200);

  private final CliContext context;

  @Spec private CommandSpec spec;

  @Parameters(index = "0", paramLabel = "NODE", description = "Such as decode-1.")
  private String node;

  @Mixin private UrlOption url;

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      defaultValue = "6m",
      description = "How long to wait until it has left. Default: ${DEFAULT-VALUE}.")
  private String timeout;

  public DrainCommand(CliContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws InterruptedException {
    final Duration patience = Durations.parse("--timeout", timeout);
    final List<URI> asked = url.addresses(context);
    final long startNs = System.nanoTime();
    try (ClusterClient client = new ClusterClient(QUESTION_TIMEOUT)) {
      final List<URI> observers = begin(client, asked);
      while (isThere(client, observers)) {
        if (System.nanoTime() - startNs > patience.toNanos()) {
          throw new CommandException(
              "%s still drains after %s; it goes on".formatted(node, Durations.format(patience)));
        }
        Thread.sleep(POLL_INTERVAL);
      }
    }
    final PrintWriter out = spec.commandLine().getOut();
    out.printf(
        "%s has drained and left in %s%n",
        node, Durations.format(Duration.ofNanos(System.nanoTime() - startNs)));
    out.flush();
    return 0;
  }

  /** Asks a node for the drain, and answers who can tell when it is done: the node itself last. */
  private List<URI> begin(ClusterClient client, List<URI> asked) throws InterruptedException {
    final JsonNode view = StatusCommand.view(client, asked);
    try {
      final ClusterClient.Reply reply =
          ClusterClient.firstAnswer(asked, address -> client.drain(address, node));
      if (reply.status() / 100 != 2) throw new CommandException(reply.message());
      return observers(view, asked);
    } catch (IOException silent) {
      throw new CommandException(silent.getMessage(), silent);
    }
  }

  private List<URI> observers(JsonNode view, List<URI> asked) {
    final Set<URI> others = new LinkedHashSet<>();
    for (JsonNode member : view.path("nodes")) {
      if (member.path("name").asText().equals(node)) continue;
      final String http = member.path("http").asText("");
      if (!http.isEmpty() && !http.equals("null")) others.add(URI.create(http));
    }
    others.addAll(asked);
    return new ArrayList<>(others);
  }

  /** Whether the first node that answers still knows it; when nobody answers, it was the last. */
  private boolean isThere(ClusterClient client, List<URI> observers) throws InterruptedException {
    try {
      for (JsonNode member : ClusterClient.firstAnswer(observers, client::cluster).path("nodes")) {
        if (member.path("name").asText().equals(node)) return true;
      }
      return false;
    } catch (IOException silent) {
      return false;
    }
  }
}
