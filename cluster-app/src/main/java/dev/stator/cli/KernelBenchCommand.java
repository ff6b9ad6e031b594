package dev.stator.cli;

import com.typesafe.config.ConfigFactory;
import dev.stator.cli.kernels.CudaBench;
import dev.stator.cli.kernels.KernelBench;
import dev.stator.cli.kernels.KernelBenchJson;
import dev.stator.cli.kernels.KernelBenchReport;
import dev.stator.cli.kernels.KernelBenchSettings;
import dev.stator.cli.kernels.KernelBenchTable;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code stator bench kernels}: one matrix by each kernel family. */
@Command(
    name = "kernels",
    sortOptions = false,
    description = {
      "Measure a matrix times 1, 8, 32 and 512 rows of inputs by each kernel family that runs here,"
          + " beside a plain read of the same bytes.",
      "Families have their turns in every round; ratios are medians over rounds. The matrix should"
          + " be larger than the processor's caches.",
      "On a GPU: steps of random models beside a copy of memory, and the price of the same bytes,"
          + " our kernels' time by that of the fastest variant without the promise."
    },
    footer = {
      "",
      "Example:",
      "  stator bench kernels --type Q8_0,Q4_K --threads 2 --json kernels.json",
      "  stator bench kernels --device cuda --type BF16,Q4_K"
    })
final class KernelBenchCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--device",
      paramLabel = "KIND",
      defaultValue = "cpu",
      description = {
        "cpu, as above; or cuda: whole steps of random models of 1 and 8 billion parameters on the"
            + " first GPU (decode of one sequence and of 64, prompts), beside a copy of its memory."
            + " Then --threads, --shape and --json have no meaning. Default: ${DEFAULT-VALUE}."
      })
  private String device;

  @Option(
      names = "--type",
      paramLabel = "NAME",
      split = ",",
      description = "Weight types. Default: Q8_0,Q4_K,BF16.")
  private List<String> types = List.of("Q8_0", "Q4_K", "BF16");

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "1",
      description = "Threads of each multiplication. Default: ${DEFAULT-VALUE}.")
  private int threads;

  @Option(
      names = "--shape",
      paramLabel = "ROWSxCOLUMNS",
      defaultValue = "16384x8192",
      description = "Outputs and inputs of the matrix. Default: ${DEFAULT-VALUE}.")
  private String shape;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "5",
      description = "Rounds after one that warms up. Default: ${DEFAULT-VALUE}.")
  private int rounds;

  @Option(names = "--json", paramLabel = "FILE", description = "Write every figure as JSON.")
  private Path json;

  @Mixin private LoggingOptions logging;

  @Override
  public Integer call() throws Exception {
    logging.apply(ConfigFactory.empty());
    final KernelBenchSettings settings = KernelBenchSettings.parse(types, threads, shape, rounds);
    final PrintWriter err = spec.commandLine().getErr();
    final PrintWriter out = spec.commandLine().getOut();
    if (isCuda()) {
      new CudaBench(settings.types(), rounds, line -> tell(out, line), err::println).run();
      return 0;
    }
    final KernelBenchReport report =
        new KernelBench(settings, err::println)
            .run(
                Machine.describe(),
                "stator " + Version.number(),
                Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    out.print(KernelBenchTable.format(report));
    out.flush();
    if (json != null) Files.writeString(json, KernelBenchJson.format(report));
    return 0;
  }

  private static void tell(PrintWriter out, String line) {
    out.println(line);
    out.flush();
  }

  private boolean isCuda() {
    return switch (device) {
      case "cpu" -> false;
      case "cuda" -> true;
      default -> throw new UsageException("--device must be cpu or cuda: '" + device + "'");
    };
  }
}
