package dev.stator.cli;

import com.typesafe.config.ConfigFactory;
import dev.stator.cli.inspect.InspectJson;
import dev.stator.cli.inspect.InspectText;
import dev.stator.model.LoadedModel;
import dev.stator.model.ModelSummary;
import dev.stator.model.WeightMatrix;
import dev.stator.model.file.ModelFiles;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code stator inspect}: what a model file holds. */
@Command(
    name = "inspect",
    description = {
      "Show what a model file holds and whether it can be served.",
      "Every check of 'stator serve' is made, except that the weights are read only with --tensors."
    },
    footer = {
      "",
      "Examples:",
      "  stator inspect stator-tiny-q8_0",
      "  stator inspect Llama-3.2-3B-Instruct-Q4_K_M.gguf --json | jq .config.context_length"
    })
final class InspectCommand implements Runnable {
  private final CliContext context;

  @Spec private CommandSpec spec;

  @Parameters(
      index = "0",
      paramLabel = "MODEL",
      description = "GGUF file, Hugging Face folder, or the name of a bundled model.")
  private String model;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Option(names = "--tensors", description = "List every tensor; check that weights are finite.")
  private boolean tensors;

  @Mixin private LoggingOptions logging;

  InspectCommand(CliContext context) {
    this.context = context;
  }

  @Override
  public void run() {
    logging.apply(ConfigFactory.empty());
    final Path path = new ModelLocator(context.home()).locate(model);
    final ModelSummary summary = ModelFiles.inspect(path);
    if (tensors) {
      try (LoadedModel opened = ModelFiles.open(path)) {
        print(summary, opened.weights().matrices());
      }
    } else {
      print(summary, null);
    }
  }

  private void print(ModelSummary summary, List<WeightMatrix> matrices) {
    final PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(InspectJson.format(summary, matrices));
    } else {
      out.print(InspectText.format(summary));
      if (matrices != null) out.print("\n" + InspectText.formatTensors(matrices));
    }
    out.flush();
  }
}
