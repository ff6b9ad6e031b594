package dev.stator.cli;

import dev.stator.cli.EngineOptions.NodePart;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** A node of a cluster in this process, and the options that say how its engines are. */
final class MemberNode {
  static final String MODEL =
      "GGUF file or Hugging Face folder, for prefill and decode nodes. Default: the bundled Stator"
          + " Tiny.";

  @Option(
      names = "--model-name",
      paramLabel = "NAME",
      description = "Name that clients put in \"model\". Default: the model's own.")
  private String modelName;

  @Option(
      names = "--engine",
      paramLabel = "model|cpu|cuda|echo",
      hidden = true,
      defaultValue = "model",
      description =
          "What computes; model: the model, on what stator.device.kind says; echo: no model.")
  private NodeSettings.Engine kind;

  @Mixin private EngineOptions engine;

  /** Runs the node until it stops. */
  int serve(
      CliContext context,
      CommandSpec spec,
      String model,
      AddressOptions address,
      ClusterMembership membership)
      throws InterruptedException {
    final NodeSettings settings =
        settings(context, engine, Optional.ofNullable(modelName), kind, model, address, membership);
    Serving.untilStopped(
        context.starter(), settings, spec.commandLine().getOut(), spec.commandLine().getErr());
    return 0;
  }

  /** The settings of a member; one that serves no clients takes any port unless it is told one. */
  static NodeSettings settings(
      CliContext context,
      EngineOptions engine,
      Optional<String> modelName,
      NodeSettings.Engine kind,
      String model,
      AddressOptions address,
      ClusterMembership membership) {
    if (!membership.isWorker() && model != null) {
      throw new UsageException(
          "a node without the roles prefill and decode has no engines: leave MODEL out");
    }
    final Optional<Path> path =
        membership.isWorker()
            ? Optional.of(new ModelLocator(context.home()).locate(model))
            : Optional.empty();
    return engine.toSettings(
        context,
        new NodePart(
            path,
            kind,
            modelName,
            address,
            membership.isFrontend() ? EngineOptions.CONFIGURED_PORT : 0,
            0,
            1,
            Optional.of(membership)));
  }
}
