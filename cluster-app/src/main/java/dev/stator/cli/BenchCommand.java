package dev.stator.cli;

import dev.stator.cli.bench.Bench;
import dev.stator.cli.bench.BenchReport;
import dev.stator.cli.bench.BenchSettings;
import dev.stator.cli.bench.HtmlReport;
import dev.stator.cli.bench.JsonReport;
import dev.stator.cli.bench.ProgressPrinter;
import dev.stator.cli.bench.TableReport;
import dev.stator.cli.client.EndpointException;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code stator bench}: load, and what it measured. */
@Command(
    name = "bench",
    sortOptions = false,
    abbreviateSynopsis = true,
    description = {
      "Measure TTFT, ITL, end-to-end latency, throughput and goodput of an OpenAI-compatible"
          + " server.",
      "Without --rate a closed loop keeps --concurrency requests on their way. With --rate (or"
          + " --trace) requests arrive on their own, and latencies count from their arrival."
    },
    footer = {
      "",
      "Exit code 1 when a request failed.",
      "",
      "Examples:",
      "  stator bench --concurrency 8 --requests 200 --html report.html",
      "  stator bench --url http://host:8000 --rate 5 --duration 2m --goodput ttft=500ms,itl=50ms"
    })
final class BenchCommand implements Callable<Integer> {
  private final CliContext context;

  @Spec private CommandSpec spec;

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "MODEL",
      description = "Without --url: the model to start here. Default: the bundled Stator Tiny.")
  private String model;

  @Mixin private ClientOptions server;
  @Mixin private BenchOptions load;

  @Option(names = "--json", paramLabel = "FILE", description = "Write every figure as JSON.")
  private Path json;

  @Option(
      names = "--html",
      paramLabel = "FILE",
      description = "Write a page with plots that needs nothing else.")
  private Path html;

  @Mixin private NodeOptions node;

  BenchCommand(CliContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws InterruptedException, IOException {
    if (server.hasUrl() && model != null) {
      throw new UsageException("give MODEL or --url, not both; --model NAME names a remote model");
    }
    final BenchSettings settings = load.toSettings();
    requireWritable(json);
    requireWritable(html);
    final PrintWriter out = spec.commandLine().getOut();
    final BenchReport report;
    try (ClientOptions.Server target =
        server.connect(context, node, model, NodeSettings.Engine.MODEL, load.timeout())) {
      report =
          new Bench(settings, target.client(), target.model(), progress()).run(describe(target));
    } catch (EndpointException failure) {
      throw new CommandException("the bench could not begin: " + failure.getMessage(), failure);
    }
    out.print(TableReport.format(report));
    write(json, JsonReport::format, report);
    write(html, HtmlReport::format, report);
    out.flush();
    return report.counts().failed() == 0 ? 0 : 1;
  }

  private ProgressPrinter progress() {
    return new ProgressPrinter(spec.commandLine().getErr(), context.isTerminal());
  }

  private static BenchReport.Run describe(ClientOptions.Server target) {
    final boolean inProcess = target.node().isPresent();
    return new BenchReport.Run(
        inProcess ? "a server in this process" : withoutSecrets(target.address()),
        target.model(),
        Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
        Machine.describe(),
        "stator " + Version.number(),
        Map.of());
  }

  private static String withoutSecrets(URI address) {
    return address.getScheme()
        + "://"
        + address.getHost()
        + (address.getPort() < 0 ? "" : ":" + address.getPort());
  }

  private static void requireWritable(Path file) {
    if (file == null) return;
    final Path folder = file.toAbsolutePath().getParent();
    if (Files.isDirectory(file) || folder == null || !Files.isDirectory(folder)) {
      throw new UsageException("no file can be written at " + file.toAbsolutePath());
    }
  }

  private interface Format {
    String of(BenchReport report);
  }

  private void write(Path file, Format format, BenchReport report) throws IOException {
    if (file == null) return;
    Files.writeString(file, format.of(report));
    spec.commandLine().getOut().println("\nwrote " + file);
  }
}
