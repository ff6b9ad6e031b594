package dev.stator.cli;

import com.typesafe.config.Config;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of every command that starts engines, or nodes that do. */
public final class EngineOptions {
  private static final String HOST_KEY = "stator.http.host";
  private static final String PORT_KEY = "stator.http.port";

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "CPU threads of each engine slot. Default: one a core.")
  private Integer threads;

  @Option(
      names = "--context-length",
      paramLabel = "TOKENS",
      description =
          "Prompt and answer together at most. Default: stator.device.cpu.context-length, 8192, or"
              + " less where the model or the KV pool ends before.")
  private Integer contextLength;

  @Option(
      names = "--kv-memory",
      paramLabel = "BYTES",
      description = "KV pool of each slot, such as 2GiB.")
  private String kvMemory;

  @Option(
      names = "--kv-blocks",
      paramLabel = "N",
      description = "KV pool of each slot in blocks of 16 tokens, instead of --kv-memory.")
  private Integer kvBlocks;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description =
          "HOCON file over the built-in defaults. Default: config/single.conf; in a cluster"
              + " disagg.conf, or agg.conf for nodes that prefill and decode.")
  private Path configFile;

  @Option(
      names = "-D",
      paramLabel = "KEY=VALUE",
      description = "One configuration key, over the file. May be repeated.")
  private Map<String, String> definitions = new LinkedHashMap<>();

  @Mixin private LoggingOptions logging;

  /** What a node is besides its engines. */
  record NodePart(
      Optional<Path> model,
      NodeSettings.Engine engine,
      Optional<String> servedName,
      AddressOptions address,
      int portDefault,
      int prefillSlots,
      int decodeSlots,
      Optional<ClusterMembership> cluster) {}

  /** For a port default: what the configuration says. */
  static final int CONFIGURED_PORT = -1;

  /**
   * The settings of a node; also applies the logging options.
   *
   * @throws UsageException when options make no sense
   */
  NodeSettings toSettings(CliContext context, NodePart node) {
    final Config overrides = readOverlay(context, defaultFile(node.cluster()));
    final Config effective = ConfigOverlay.overDefaults(overrides);
    logging.apply(effective);
    return new NodeSettings(
        node.model(),
        node.engine(),
        node.servedName(),
        host(node.address(), effective),
        port(node, effective),
        optional(threads),
        optional(contextLength),
        kvMemory == null
            ? OptionalLong.empty()
            : OptionalLong.of(Quantities.parseBytes("--kv-memory", kvMemory)),
        optional(kvBlocks),
        node.prefillSlots(),
        node.decodeSlots(),
        node.cluster(),
        overrides);
  }

  private static String host(AddressOptions address, Config effective) {
    return address.host() != null ? address.host() : effective.getString(HOST_KEY);
  }

  private static int port(NodePart node, Config effective) {
    if (node.address().port() != null) return node.address().port();
    return node.portDefault() == CONFIGURED_PORT ? effective.getInt(PORT_KEY) : node.portDefault();
  }

  /** Applies the logging options alone, for a command that starts no node. */
  void applyLogging(CliContext context) {
    logging.apply(ConfigOverlay.overDefaults(readOverlay(context, ConfigOverlay.SINGLE_FILE)));
  }

  private static String defaultFile(Optional<ClusterMembership> cluster) {
    return cluster
        .map(member ->
            member.roles().containsAll(ClusterMembership.parseRoles("prefill,decode"))
                ? ConfigOverlay.AGGREGATED_FILE
                : ConfigOverlay.DISAGGREGATED_FILE)
        .orElse(ConfigOverlay.SINGLE_FILE);
  }

  /** The whole configuration as a worker of a cluster would see it, its options left out. */
  public Config effective(CliContext context) {
    return ConfigOverlay.overDefaults(readOverlay(context, ConfigOverlay.DISAGGREGATED_FILE));
  }

  public boolean hasThreads() {
    return threads != null;
  }

  /** Whether an option or the operator's configuration says how large the KV pool is. */
  public boolean hasKvSize(CliContext context) {
    final Config overlay = readOverlay(context, ConfigOverlay.DISAGGREGATED_FILE);
    return kvMemory != null
        || kvBlocks != null
        || overlay.hasPath("stator.device.cpu.kv-bytes")
        || overlay.hasPath("stator.device.cpu.block-count");
  }

  /** The words of a command line that say the same to another process. */
  public List<String> toArguments() {
    final List<String> words = new ArrayList<>();
    add(words, "--threads", threads);
    add(words, "--context-length", contextLength);
    add(words, "--kv-memory", kvMemory);
    add(words, "--kv-blocks", kvBlocks);
    add(words, "--config", configFile == null ? null : configFile.toAbsolutePath());
    definitions.forEach((key, value) -> words.add("-D" + key + "=" + value));
    words.addAll(logging.toArguments());
    return words;
  }

  /**
   * The same and more.
   *
   * @param defaults keys that count unless the user's options or configuration say otherwise
   * @param forced keys that count whatever the user says
   */
  public EngineOptions with(
      CliContext context, Map<String, String> defaults, Map<String, String> forced) {
    final Config overlay = readOverlay(context, ConfigOverlay.DISAGGREGATED_FILE);
    final EngineOptions more = new EngineOptions();
    more.threads = threads;
    more.contextLength = contextLength;
    more.kvMemory = kvMemory;
    more.kvBlocks = kvBlocks;
    more.configFile = configFile;
    more.logging = logging;
    defaults.forEach((key, value) -> {
      if (!overlay.hasPath(key)) more.definitions.put(key, value);
    });
    more.definitions.putAll(definitions);
    more.definitions.putAll(forced);
    return more;
  }

  private static void add(List<String> words, String option, Object value) {
    if (value == null) return;
    words.add(option);
    words.add(value.toString());
  }

  private Config readOverlay(CliContext context, String defaultFile) {
    return ConfigOverlay.read(configFile, defaultFile, context.home(), definitions);
  }

  private static OptionalInt optional(Integer value) {
    return value == null ? OptionalInt.empty() : OptionalInt.of(value);
  }
}
