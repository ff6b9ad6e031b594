package dev.stator.cli;

import dev.stator.cli.client.EndpointException;
import dev.stator.cli.client.OpenAiClient;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Which server a client command speaks to. */
final class ClientOptions {
  @Option(
      names = "--url",
      paramLabel = "URL",
      description =
          "OpenAI-compatible server to use, such as http://host:8080. Default: start MODEL in this"
              + " process.")
  private String url;

  @Option(
      names = "--model",
      paramLabel = "NAME",
      description = "Name to ask the server for. Default: the first that it lists.")
  private String model;

  @Option(
      names = "--api-key",
      paramLabel = "KEY",
      description = "Sent as bearer token. Default: $OPENAI_API_KEY where --url is given.")
  private String apiKey;

  /** A server to speak to; closing it stops the node that was started for it. */
  record Server(OpenAiClient client, URI address, String model, Optional<RunningNode> node)
      implements AutoCloseable {
    @Override
    public void close() {
      client.close();
      node.ifPresent(RunningNode::close);
    }
  }

  boolean hasUrl() {
    return url != null;
  }

  /**
   * Connects to the given server, or starts a node on a free local port.
   *
   * @param timeout of a request
   * @throws CommandException when a server does not answer
   */
  Server connect(
      CliContext context,
      NodeOptions node,
      String modelPath,
      NodeSettings.Engine engine,
      Duration timeout) {
    if (url == null) return startNode(context, node, modelPath, engine, timeout);
    node.applyLogging(context);
    final URI address = parseUrl();
    final Optional<String> key =
        Optional.ofNullable(apiKey)
            .or(() -> Optional.ofNullable(context.environment().get("OPENAI_API_KEY")));
    final OpenAiClient client = new OpenAiClient(address, key, timeout);
    return new Server(
        client, address, model != null ? model : firstModel(client, address), Optional.empty());
  }

  private Server startNode(
      CliContext context,
      NodeOptions node,
      String modelPath,
      NodeSettings.Engine engine,
      Duration timeout) {
    final RunningNode running =
        context
            .starter()
            .start(node.toSettings(context, modelPath, AddressOptions.privateAddress(), engine));
    final URI address = running.summary().address();
    return new Server(
        new OpenAiClient(address, Optional.empty(), timeout),
        address,
        running.summary().servedName().orElseThrow(),
        Optional.of(running));
  }

  private URI parseUrl() {
    try {
      final URI address = new URI(url.contains("://") ? url : "http://" + url);
      if (address.getHost() != null && address.getScheme().matches("https?")) return address;
    } catch (URISyntaxException wrong) {
      // Falls through to the same answer.
    }
    throw new UsageException("--url wants an address such as http://host:8080: '" + url + "'");
  }

  private static String firstModel(OpenAiClient client, URI address) {
    try {
      final List<String> models = client.models();
      if (!models.isEmpty()) return models.getFirst();
      client.close();
      throw new CommandException(address + " lists no model; name one with --model");
    } catch (EndpointException failure) {
      client.close();
      throw new CommandException(
          "no answer from " + address + ": " + failure.getMessage(), failure);
    }
  }
}
