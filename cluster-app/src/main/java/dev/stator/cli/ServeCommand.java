package dev.stator.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code stator serve}: a node until it is told to stop. */
@Command(
    name = "serve",
    sortOptions = false,
    abbreviateSynopsis = true,
    description = "Serve a model over an OpenAI-compatible HTTP API.",
    footer = {
      "",
      "SIGTERM and Ctrl-C drain the server, then stop it.",
      "",
      "Examples:",
      "  stator serve",
      "  stator serve Llama-3.2-3B-Instruct-Q4_K_M.gguf --port 9000 --kv-memory 2GiB",
      "  stator serve --prefill-slots 1 --decode-slots 1"
    })
final class ServeCommand implements Callable<Integer> {
  private final CliContext context;

  @Spec private CommandSpec spec;
  @Mixin private NodeOptions node;
  @Mixin private AddressOptions address;

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "MODEL",
      description = "GGUF file or Hugging Face folder. Default: the bundled Stator Tiny.")
  private String model;

  ServeCommand(CliContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws InterruptedException {
    final NodeSettings settings =
        node.toSettings(context, model, address, NodeSettings.Engine.MODEL);
    Serving.untilStopped(
        context.starter(), settings, spec.commandLine().getOut(), spec.commandLine().getErr());
    return 0;
  }
}
