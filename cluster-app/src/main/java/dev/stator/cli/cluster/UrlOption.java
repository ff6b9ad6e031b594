package dev.stator.cli.cluster;

import dev.stator.cli.CliContext;
import dev.stator.cli.UsageException;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import picocli.CommandLine.Option;

/** Which node is asked about its cluster. */
final class UrlOption {
  private static final String DEFAULT = "http://127.0.0.1:8080";

  @Option(
      names = "--url",
      paramLabel = "URL",
      description =
          "A node to ask, such as http://host:8080. Default: the cluster that runs on this machine,"
              + " else http://127.0.0.1:8080.")
  private String url;

  /** Nodes to ask, the first one first; at least one. */
  List<URI> addresses(CliContext context) {
    if (url != null) return List.of(parse(url));
    final List<String> names = ClusterFolder.names(context.environment());
    if (names.size() == 1) {
      final ClusterFolder folder = ClusterFolder.of(context.environment(), names.getFirst());
      final List<URI> local = new Observers(folder, folder.plan()).addresses();
      if (!local.isEmpty()) return local;
    }
    return List.of(URI.create(DEFAULT));
  }

  private static URI parse(String text) {
    try {
      final URI address = new URI(text.contains("://") ? text : "http://" + text);
      if (address.getHost() != null && address.getScheme().matches("https?")) return address;
    } catch (URISyntaxException wrong) {
      // Falls through to the same answer.
    }
    throw new UsageException("--url wants an address such as http://host:8080: '" + text + "'");
  }
}
