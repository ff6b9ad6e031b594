package dev.stator.cli;

import com.typesafe.config.ConfigFactory;
import dev.stator.cli.engine.EngineBench;
import dev.stator.cli.engine.EngineBenchJson;
import dev.stator.cli.engine.EngineBenchReport;
import dev.stator.cli.engine.EngineBenchSettings;
import dev.stator.cli.engine.EngineBenchTable;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code stator bench engine}: tokens a second of the CPU device. */
@Command(
    name = "engine",
    sortOptions = false,
    abbreviateSynopsis = true,
    description = {
      "Measure prefill and decode of a model by each kernel family, and by llama.cpp beside them.",
      "Runs the CPU device itself: no server, no scheduler, no sampling. Kernel families and"
          + " llama.cpp have their turns in every round; ratios are medians over rounds."
    },
    footer = {
      "",
      "Examples:",
      "  stator bench engine model.gguf --threads 2 --against llama.cpp/build/bin/llama-bench",
      "  stator bench engine model.gguf --prefill 0 --batches 1 --contexts 64,8192"
    })
final class EngineBenchCommand implements Callable<Integer> {
  private final CliContext context;

  @Spec private CommandSpec spec;

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "MODEL",
      description = "GGUF file or Hugging Face folder. Default: the bundled Stator Tiny.")
  private String model;

  @Option(
      names = "--threads",
      paramLabel = "N",
      split = ",",
      description = "Thread counts, each measured by itself. Default: one a core.")
  private List<Integer> threads = List.of(Runtime.getRuntime().availableProcessors());

  @Option(
      names = "--prefill",
      paramLabel = "TOKENS",
      defaultValue = "512",
      description = "Length of the prompt; 0 for none. Default: ${DEFAULT-VALUE}.")
  private int prefill;

  @Option(
      names = "--decode",
      paramLabel = "TOKENS",
      defaultValue = "32",
      description = "What each sequence is continued by. Default: ${DEFAULT-VALUE}.")
  private int decode;

  @Option(
      names = "--batches",
      paramLabel = "N",
      split = ",",
      description = "Sequences that decode side by side; 0 for none. Default: 1,8,32.")
  private List<Integer> batches = List.of(1, 8, 32);

  @Option(
      names = "--contexts",
      paramLabel = "TOKENS",
      split = ",",
      description = "Contexts that a sequence decodes from, alone; 0 for none. Default: 64,4096.")
  private List<Integer> contexts = List.of(64, 4096);

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "3",
      description = "Rounds after one that warms up. Default: ${DEFAULT-VALUE}.")
  private int rounds;

  @Option(
      names = "--kernels",
      paramLabel = "NAME",
      split = ",",
      description =
          "Values of stator.device.cpu.kernels: auto, native, java, vector, scalar. Default:"
              + " auto,java.")
  private List<String> kernels = List.of("auto", "java");

  @Option(
      names = "--kv-types",
      paramLabel = "NAME",
      split = ",",
      description =
          "Values of stator.device.cpu.kv-type, each with each of the kernels: f32, bf16, int8."
              + " Default: f32.")
  private List<String> kvTypes = List.of("f32");

  @Option(
      names = "--against",
      paramLabel = "PATH",
      description =
          "llama.cpp's llama-bench; llama-batched-bench is used too where it lies beside it.")
  private Path against;

  @Option(names = "--json", paramLabel = "FILE", description = "Write every figure as JSON.")
  private Path json;

  @Mixin private LoggingOptions logging;

  EngineBenchCommand(CliContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws Exception {
    logging.apply(ConfigFactory.empty());
    final var settings =
        new EngineBenchSettings(
            threads,
            prefill,
            decode,
            batches,
            contexts,
            rounds,
            kernels,
            kvTypes,
            Optional.ofNullable(against));
    final PrintWriter err = spec.commandLine().getErr();
    final EngineBenchReport report =
        new EngineBench(settings, new ModelLocator(context.home()).locate(model), err::println)
            .run(
                Machine.describe(),
                "stator " + Version.number(),
                Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    final PrintWriter out = spec.commandLine().getOut();
    out.print(EngineBenchTable.format(report));
    out.flush();
    if (json != null) Files.writeString(json, EngineBenchJson.format(report));
    return 0;
  }
}
