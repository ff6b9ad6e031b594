package dev.stator.cli;

import dev.stator.cli.EngineOptions.NodePart;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of every command that starts a node in its own process, alone. */
final class NodeOptions {
  @Option(
      names = {"--name", "--model-name"},
      paramLabel = "NAME",
      description = "Name that clients put in \"model\". Default: the model's own.")
  private String name;

  @Mixin private EngineOptions engine;

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

  /**
   * The settings of a node; also applies the logging options.
   *
   * @throws UsageException when options make no sense
   * @throws CommandException when there is no such model
   */
  NodeSettings toSettings(
      CliContext context, String model, AddressOptions address, NodeSettings.Engine kind) {
    return engine.toSettings(
        context,
        new NodePart(
            Optional.of(new ModelLocator(context.home()).locate(model)),
            kind,
            Optional.ofNullable(name),
            address,
            EngineOptions.CONFIGURED_PORT,
            prefillSlots,
            decodeSlots,
            Optional.empty()));
  }

  Optional<String> servedName() {
    return Optional.ofNullable(name);
  }

  EngineOptions engine() {
    return engine;
  }

  /** Applies the logging options alone, for a command that starts no node. */
  void applyLogging(CliContext context) {
    engine.applyLogging(context);
  }
}
