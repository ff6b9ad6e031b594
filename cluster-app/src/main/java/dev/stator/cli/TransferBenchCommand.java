package dev.stator.cli;

import com.typesafe.config.ConfigFactory;
import dev.stator.cli.transfer.TransferBench;
import dev.stator.cli.transfer.TransferBenchSettings;
import dev.stator.cli.transfer.TransferJson;
import dev.stator.cli.transfer.TransferReport;
import dev.stator.cli.transfer.TransferTable;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code stator bench transfer}: how fast KV blocks move. */
@Command(
    name = "transfer",
    sortOptions = false,
    description = {
      "Measure how fast blocks move by each transfer backend, beside a plain copy and a plain TCP"
          + " socket.",
      "Starts a second process for what goes between two. Every way has its turn in every round;"
          + " ratios are medians over rounds. Needs three times --bytes of memory."
    },
    footer = {
      "",
      "Example:",
      "  stator bench transfer --bytes 1GiB --block 64KiB,1MiB --rounds 5 --json transfer.json"
    })
final class TransferBenchCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--bytes",
      paramLabel = "BYTES",
      defaultValue = "1GiB",
      description = "To move in each round, each way. Default: ${DEFAULT-VALUE}.")
  private String bytes;

  @Option(
      names = "--block",
      paramLabel = "BYTES",
      split = ",",
      defaultValue = "64KiB,1MiB",
      description = "Block lengths; latency is that of the first. Default: ${DEFAULT-VALUE}.")
  private String[] blocks;

  @Option(
      names = "--ways",
      paramLabel = "NAME",
      split = ",",
      description = "Only these of in-process, shared, ipc, udp; copy and tcp go with them.")
  private List<String> ways = TransferBenchSettings.WAYS;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "5",
      description = "Rounds after ten that warm up. Default: ${DEFAULT-VALUE}.")
  private int rounds;

  @Option(
      names = "--latency-blocks",
      paramLabel = "N",
      defaultValue = "2000",
      description = "Single blocks sent for latency; 0 for none. Default: ${DEFAULT-VALUE}.")
  private int latencyBlocks;

  @Option(
      names = "--idle",
      paramLabel = "TIME",
      defaultValue = "10s",
      description =
          "How long the CPU use of doing nothing is measured; 0: not. Default: ${DEFAULT-VALUE}.")
  private String idle;

  @Option(names = "--json", paramLabel = "FILE", description = "Write every figure as JSON.")
  private Path json;

  @Mixin private LoggingOptions logging;

  @Override
  public Integer call() throws Exception {
    logging.apply(ConfigFactory.empty());
    final TransferBenchSettings settings =
        new TransferBenchSettings(
            Set.copyOf(ways),
            Quantities.parseBytes("--bytes", bytes),
            Arrays.stream(blocks)
                .map(block -> Math.toIntExact(Quantities.parseBytes("--block", block)))
                .toList(),
            rounds,
            latencyBlocks,
            idle.equals("0") ? Duration.ZERO : Durations.parse("--idle", idle));
    final PrintWriter err = spec.commandLine().getErr();
    final TransferReport report =
        new TransferBench(settings, err::println)
            .run(
                Machine.describe(),
                "stator " + Version.number(),
                Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    final PrintWriter out = spec.commandLine().getOut();
    out.print(TransferTable.format(report));
    out.flush();
    if (json != null) Files.writeString(json, TransferJson.format(report));
    return 0;
  }
}
