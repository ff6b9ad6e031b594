package dev.stator.cli;

import dev.stator.cli.batch.Batch;
import dev.stator.cli.batch.BatchSummary;
import dev.stator.cli.cluster.ClusterFolder;
import dev.stator.cluster.NodeRole;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code stator run in=.. out=..}: an input and an engine, joined. */
@Command(
    name = "run",
    sortOptions = false,
    abbreviateSynopsis = true,
    description = {
      "Join an input and an engine.",
      "  in=http         serve, as 'stator serve' does",
      "  in=text         chat, as 'stator chat' does",
      "  in=batch:FILE   answer the requests of a file, one JSON object a line: OpenAI's batch",
      "                  form or {\"text\": prompt}; MODEL answers them all, whatever they name",
      "  out=cpu         the model on this machine's CPU",
      "  out=cuda        the model on an NVIDIA GPU",
      "  out=echo        no model: the prompt's tokens come back",
      "Without out=, the model on a GPU where one can be used, else on the CPU.",
      "A cluster can be either end; CLUSTER is one of this machine, or HOST:PORT of a member:",
      "  in=http out=pool://CLUSTER   serve what the cluster serves, as one of its frontends",
      "  in=pool://CLUSTER out=cpu    a worker of the cluster, for prefill and decode"
    },
    footer = {
      "",
      "Exit code 1 when a request of a batch failed.",
      "",
      "Examples:",
      "  stator run in=http out=cpu Llama-3.2-1B-Instruct-Q8_0.gguf",
      "  stator run in=batch:prompts.jsonl out=cpu",
      "  stator run in=pool://local out=cpu --role decode"
    })
final class RunCommand implements Callable<Integer> {
  private static final String BATCH = "batch:";

  private final CliContext context;

  @Spec private CommandSpec spec;

  @Parameters(
      arity = "1..*",
      paramLabel = "in=INPUT|out=ENGINE|MODEL",
      description = "Input, engine and model, in any order. Default model: Stator Tiny.")
  private List<String> words = new ArrayList<>();

  @Mixin private AddressOptions address;

  @Option(
      names = "--concurrency",
      paramLabel = "N",
      defaultValue = "8",
      description = "Batch: requests on their way at a time. Default: ${DEFAULT-VALUE}.")
  private int concurrency;

  @Option(
      names = "--output",
      paramLabel = "FILE",
      description =
          "Batch: results, replaced if there. Default: beside the input, *.results.jsonl.")
  private Path output;

  @Mixin private ChatOptions chat;
  @Mixin private NodeOptions node;

  @Option(
      names = "--node-name",
      paramLabel = "NODE",
      description = "In a cluster: the node's name. Default: its roles and a number.")
  private String nodeName;

  @Mixin private ClusterOptions cluster;

  RunCommand(CliContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    final RunWords run = RunWords.parse(words);
    if (run.pool().isPresent()) return join(run, run.pool().get());
    if (cluster.hasRoles()) throw new UsageException("--role goes with pool://CLUSTER alone");
    if (run.input().equals("http")) {
      final NodeSettings settings = node.toSettings(context, run.model(), address, run.engine());
      Serving.untilStopped(
          context.starter(), settings, spec.commandLine().getOut(), spec.commandLine().getErr());
      return 0;
    }
    final Path batch = run.input().startsWith(BATCH) ? batchFile(run.input()) : null;
    try (ClientOptions.Server target =
        new ClientOptions()
            .connect(context, node, run.model(), run.engine(), ChatCommand.TIMEOUT)) {
      return batch == null ? ChatCommand.run(context, spec, target, chat) : runBatch(target, batch);
    }
  }

  private int join(RunWords run, String pool) throws InterruptedException {
    final List<String> contacts =
        pool.contains(":")
            ? ClusterMembership.parseContacts(pool)
            : ClusterFolder.of(context.environment(), pool).plan().contacts();
    final Set<NodeRole> roles = cluster.roles(run.isPoolWorker() ? "prefill,decode" : "frontend");
    final NodeSettings settings =
        MemberNode.settings(
            context,
            node.engine(),
            node.servedName(),
            run.engine(),
            run.model(),
            address,
            cluster.joining(nodeName, roles, contacts));
    Serving.untilStopped(
        context.starter(), settings, spec.commandLine().getOut(), spec.commandLine().getErr());
    return 0;
  }

  private int runBatch(ClientOptions.Server target, Path input)
      throws IOException, InterruptedException {
    if (concurrency < 1) throw new UsageException("--concurrency must be positive: " + concurrency);
    final Path results = output != null ? output : beside(input);
    final BatchSummary summary;
    try (BufferedReader requests = Files.newBufferedReader(input);
        Writer lines = Files.newBufferedWriter(results)) {
      summary = new Batch(target.client(), target.model(), concurrency).run(requests, lines);
    }
    final PrintWriter out = spec.commandLine().getOut();
    out.println(summary.describe());
    out.println("Results: " + results);
    out.flush();
    return summary.failed() == 0 ? 0 : 1;
  }

  /** A folder stands for the {@code input.jsonl} in it. */
  private static Path batchFile(String input) {
    final Path named = Path.of(input.substring(BATCH.length()));
    final Path file = Files.isDirectory(named) ? named.resolve("input.jsonl") : named;
    if (!Files.isReadable(file))
      throw new CommandException("no batch file at " + file.toAbsolutePath());
    return file;
  }

  static Path beside(Path input) {
    final String name = input.getFileName().toString();
    return input.resolveSibling(name.replaceFirst("\\.jsonl$", "") + ".results.jsonl");
  }
}
