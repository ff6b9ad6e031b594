package dev.stator.cli.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stator.cli.CliContext;
import dev.stator.cli.CommandException;
import dev.stator.cli.Durations;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code stator status}: a cluster as one of its nodes sees it. */
@Command(
    name = "status",
    sortOptions = false,
    abbreviateSynopsis = true,
    description = "Draw a cluster: nodes, roles, slots, queues, blocks, hit rates, transfers.",
    footer = {
      "",
      "Examples:",
      "  stator status",
      "  stator status --url http://10.0.0.1:8080 --watch"
    })
public final class StatusCommand implements Callable<Integer> {
  private static final Duration TIMEOUT = Duration.ofSeconds(5);
  private static final String HOME_AND_CLEAR = "\033[H\033[2J";

  private final CliContext context;

  @Spec private CommandSpec spec;
  @Mixin private UrlOption url;

  @Option(names = "--json", description = "The node's whole answer, for programs.")
  private boolean isJson;

  @Option(
      names = "--watch",
      arity = "0..1",
      fallbackValue = "1s",
      paramLabel = "TIME",
      description = "Draw it again and again, until interrupted. Default: each second.")
  private String interval;

  public StatusCommand(CliContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws InterruptedException {
    final PrintWriter out = spec.commandLine().getOut();
    final Duration pause = interval == null ? null : Durations.parse("--watch", interval);
    final List<URI> nodes = url.addresses(context);
    try (ClusterClient client = new ClusterClient(TIMEOUT)) {
      while (true) {
        final JsonNode view = view(client, nodes);
        if (pause != null && context.isTerminal()) out.print(HOME_AND_CLEAR);
        out.print(isJson ? view.toPrettyString() + "\n" : ClusterPicture.draw(view));
        out.flush();
        if (pause == null || out.checkError()) return 0;
        Thread.sleep(pause);
      }
    }
  }

  static JsonNode view(ClusterClient client, List<URI> nodes) throws InterruptedException {
    try {
      return ClusterClient.firstAnswer(nodes, client::cluster);
    } catch (IOException silent) {
      throw new CommandException(silent.getMessage(), silent);
    }
  }
}
