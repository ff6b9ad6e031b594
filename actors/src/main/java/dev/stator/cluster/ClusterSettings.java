package dev.stator.cluster;

import com.typesafe.config.Config;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * {@code stator.cluster} in reference.conf; read and checked once, at start.
 *
 * @param self name and roles
 * @param seedNodes {@code host:port} of nodes to join through
 * @param joinTimeout until a node that has not joined ends
 * @param nameTimeout until a node whose name is in use ends
 * @param reportInterval how often a node tells the others about itself
 * @param reportNodesMax nodes up to which each tells all
 * @param drainTimeout how long a draining node's sequences may go on
 * @param sessionDrainTimeout how long a draining frontend's sessions may go on
 * @param cardBytesMax the largest model card
 * @param cardPartBytes bytes of a card in one message
 * @param cardTimeout silence until the next host is asked for its card
 * @param modelsMax models at once
 * @param modelsTimeout until a frontend serves that does not know all models of the cluster yet
 * @param modelLinger how long a model without a host stays known
 * @param directoryShards parts of a model's cache directory ({@code stator.cache.directory-shards})
 */
public record ClusterSettings(
    NodeIdentity self,
    String host,
    int port,
    List<String> seedNodes,
    Duration joinTimeout,
    Duration nameTimeout,
    Duration reportInterval,
    int reportNodesMax,
    Duration drainTimeout,
    Duration sessionDrainTimeout,
    int cardBytesMax,
    int cardPartBytes,
    Duration cardTimeout,
    int modelsMax,
    Duration modelsTimeout,
    Duration modelLinger,
    int directoryShards,
    Tls tls) {
  /** Mutual TLS between nodes; the files are read by the actor system. */
  public record Tls(boolean enabled, String certFile, String keyFile, String caFile) {
    public Tls {
      if (enabled) {
        requireFile("cert-file", certFile);
        requireFile("key-file", keyFile);
        requireFile("ca-file", caFile);
      }
    }

    private static void requireFile(String key, String file) {
      if (!file.isEmpty() && Files.isReadable(Path.of(file))) return;
      throw new IllegalArgumentException(
          "stator.cluster.tls.%s must name a file that can be read: \"%s\"".formatted(key, file));
    }
  }

  public ClusterSettings {
    seedNodes = List.copyOf(seedNodes);
    require(port >= 0 && port < 65536, "port must be in [0, 65535]", port);
    for (String seed : seedNodes) {
      require(seed.matches(".+:[1-9][0-9]{0,4}"), "seed-nodes must be HOST:PORT", seed);
    }
    requirePositive("join-timeout", joinTimeout);
    requirePositive("name-timeout", nameTimeout);
    requirePositive("report-interval", reportInterval);
    require(reportNodesMax > 0, "report-nodes-max must be positive", reportNodesMax);
    requirePositive("drain-timeout", drainTimeout);
    requirePositive("session-drain-timeout", sessionDrainTimeout);
    require(cardBytesMax > 0, "card-bytes-max must be positive", cardBytesMax);
    require(cardPartBytes > 0, "card-part-bytes must be positive", cardPartBytes);
    requirePositive("card-timeout", cardTimeout);
    require(modelsMax > 0, "models-max must be positive", modelsMax);
    requirePositive("models-timeout", modelsTimeout);
    requirePositive("model-linger", modelLinger);
    if (directoryShards <= 0) {
      throw new IllegalArgumentException(
          "stator.cache.directory-shards must be positive: " + directoryShards);
    }
  }

  /**
   * @param root the whole configuration
   * @throws IllegalArgumentException when a key is out of range
   */
  public static ClusterSettings from(Config root) {
    final Config cluster = root.getConfig("stator.cluster");
    final long messageBytesMax = cluster.getBytes("message-bytes-max");
    final int cardPartBytes = Math.toIntExact(cluster.getBytes("card-part-bytes"));
    require(
        messageBytesMax >= 32 * 1024 && messageBytesMax <= 64 * 1024 * 1024,
        "message-bytes-max must be in [32 KiB, 64 MiB]",
        messageBytesMax);
    require(
        cardPartBytes <= messageBytesMax / 2,
        "card-part-bytes must be at most half of message-bytes-max",
        cardPartBytes);
    return new ClusterSettings(
        identity(cluster),
        cluster.getString("host"),
        cluster.getInt("port"),
        cluster.getStringList("seed-nodes"),
        cluster.getDuration("join-timeout"),
        cluster.getDuration("name-timeout"),
        cluster.getDuration("report-interval"),
        cluster.getInt("report-nodes-max"),
        cluster.getDuration("drain-timeout"),
        cluster.getDuration("session-drain-timeout"),
        Math.toIntExact(cluster.getBytes("card-bytes-max")),
        cardPartBytes,
        cluster.getDuration("card-timeout"),
        cluster.getInt("models-max"),
        cluster.getDuration("models-timeout"),
        cluster.getDuration("model-linger"),
        root.getInt("stator.cache.directory-shards"),
        new Tls(
            cluster.getBoolean("tls.enabled"),
            cluster.getString("tls.cert-file"),
            cluster.getString("tls.key-file"),
            cluster.getString("tls.ca-file")));
  }

  private static NodeIdentity identity(Config cluster) {
    final Set<NodeRole> roles =
        cluster.getStringList("roles").stream()
            .map(NodeRole::parse)
            .collect(Collectors.toUnmodifiableSet());
    return new NodeIdentity(cluster.getString("node-name"), roles);
  }

  private static void requirePositive(String key, Duration value) {
    require(value.isPositive(), key + " must be positive", value);
  }

  private static void require(boolean holds, String rule, Object value) {
    if (!holds) throw new IllegalArgumentException("stator.cluster." + rule + ": " + value);
  }
}
