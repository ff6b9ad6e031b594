package dev.stator.cli;

import com.typesafe.config.Config;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of every command that starts a node. */
final class NodeOptions {
  private static final String HOST_KEY = "stator.http.host";
  private static final String PORT_KEY = "stator.http.port";

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description = "Name that clients put in \"model\". Default: the model's own.")
  private String name;

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
      names = "--prefill-slots",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "Engine slots that only prefill. With 1 or more, prompts are computed there and their KV"
              + " blocks move to a decode slot. Default: 0, decode slots do both.")
  private int prefillSlots;

  @Option(
      names = "--decode-slots",
      paramLabel = "N",
      defaultValue = "1",
      description = "Engine slots that decode. Default: 1.")
  private int decodeSlots;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "HOCON file over the built-in defaults. Default: config/single.conf.")
  private Path configFile;

  @Option(
      names = "-D",
      paramLabel = "KEY=VALUE",
      description = "One configuration key, over the file. May be repeated.")
  private Map<String, String> definitions = new LinkedHashMap<>();

  @Mixin private LoggingOptions logging;

  /**
   * The settings of a node; also applies the logging options.
   *
   * @throws UsageException when options make no sense
   * @throws CommandException when there is no such model
   */
  NodeSettings toSettings(
      CliContext context, String model, AddressOptions address, NodeSettings.Engine engine) {
    final Config overrides = readOverlay(context);
    final Config effective = ConfigOverlay.overDefaults(overrides);
    logging.apply(effective);
    return new NodeSettings(
        new ModelLocator(context.home()).locate(model),
        engine,
        Optional.ofNullable(name),
        host(address, effective),
        port(address, effective),
        optional(threads),
        optional(contextLength),
        kvMemory == null
            ? OptionalLong.empty()
            : OptionalLong.of(Quantities.parseBytes("--kv-memory", kvMemory)),
        optional(kvBlocks),
        prefillSlots,
        decodeSlots,
        overrides);
  }

  private static String host(AddressOptions address, Config effective) {
    return address.host() != null ? address.host() : effective.getString(HOST_KEY);
  }

  private static int port(AddressOptions address, Config effective) {
    return address.port() != null ? address.port() : effective.getInt(PORT_KEY);
  }

  /** Applies the logging options alone, for a command that starts no node. */
  void applyLogging(CliContext context) {
    logging.apply(ConfigOverlay.overDefaults(readOverlay(context)));
  }

  private Config readOverlay(CliContext context) {
    return ConfigOverlay.read(configFile, context.home(), definitions);
  }

  private static OptionalInt optional(Integer value) {
    return value == null ? OptionalInt.empty() : OptionalInt.of(value);
  }
}
