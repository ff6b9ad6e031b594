package dev.stator.cli.cluster;

import dev.stator.cli.CliContext;
import dev.stator.cli.CommandException;
import dev.stator.cli.Durations;
import dev.stator.cli.EngineOptions;
import dev.stator.cli.StartSummary;
import dev.stator.cli.client.OpenAiClient;
import java.io.PrintWriter;
import java.net.URI;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code stator cluster up}: returns when the cluster serves. */
@Command(
    name = "up",
    sortOptions = false,
    abbreviateSynopsis = true,
    description = {
      "Start a cluster of processes on this machine; returns when it serves.",
      "Its nodes are named prefill-1, decode-1, frontend-1 and so on."
    },
    footer = {
      "",
      "Examples:",
      "  stator cluster up --prefill 2 --decode 2",
      "  stator cluster up --prefill 0 --decode 3 --port 9000 Llama-3.2-1B-Instruct-Q8_0.gguf"
    })
final class UpCommand implements Callable<Integer> {
  private static final Duration QUESTION_TIMEOUT = Duration.ofSeconds(10);

  private final CliContext context;

  @Spec private CommandSpec spec;

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "MODEL",
      description = "GGUF file or Hugging Face folder. Default: the bundled Stator Tiny.")
  private String model;

  @Option(
      names = "--prefill",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Nodes that compute prompts. With 0, decode nodes compute their own. Default: 1.")
  private int prefill;

  @Option(
      names = "--decode",
      paramLabel = "N",
      defaultValue = "1",
      description = "Nodes that write answers. Default: 1.")
  private int decode;

  @Option(
      names = "--frontend",
      paramLabel = "N",
      defaultValue = "1",
      description = "Nodes that serve clients, each on a port of its own. Default: 1.")
  private int frontend;

  @Option(
      names = "--slots",
      paramLabel = "N",
      defaultValue = "1",
      description = "Engine slots of each prefill and decode node. Default: 1.")
  private int slots;

  @Option(
      names = "--host",
      paramLabel = "ADDRESS",
      defaultValue = "127.0.0.1",
      description = "Address that frontends listen on. Default: ${DEFAULT-VALUE}.")
  private String host;

  @Option(
      names = "--port",
      paramLabel = "PORT",
      defaultValue = "8080",
      description =
          "The first frontend's port; others take the next ones. 0: any. Default:"
              + " ${DEFAULT-VALUE}.")
  private int port;

  @Mixin private ClusterNameOption name;

  @Option(
      names = "--model-name",
      paramLabel = "NAME",
      description = "Name that clients put in \"model\". Default: the model's own.")
  private String modelName;

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      defaultValue = "3m",
      description = "A cluster that does not serve by then is taken down. Default: 3m.")
  private String timeout;

  @Mixin private EngineOptions engine;

  UpCommand(CliContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws InterruptedException {
    final Duration patience = Durations.parse("--timeout", timeout);
    final ClusterFolder folder = name.newFolder(context);
    final NodeProcesses processes = new NodeProcesses(context, folder);
    try (ClusterFolder.Lock _ = folder.lock()) {
      requireDown(folder);
      final ClusterPlan plan = plan(folder);
      folder.begin(plan);
      start(folder, processes, plan, patience);
    }
    return 0;
  }

  private static void requireDown(ClusterFolder folder) {
    if (!folder.isUp()) return;
    throw new CommandException(
        "cluster '%s' is up already; 'stator cluster down --name %s' ends it, --name starts another"
            .formatted(folder.name(), folder.name()));
  }

  private ClusterPlan plan(ClusterFolder folder) {
    return new ClusterPlanner(
            context,
            folder,
            new ClusterPlanner.Wanted(
                prefill, decode, frontend, slots, host, port, model, modelName, engine),
            new SecureRandom())
        .plan();
  }

  private void start(
      ClusterFolder folder, NodeProcesses processes, ClusterPlan plan, Duration patience)
      throws InterruptedException {
    final PrintWriter out = spec.commandLine().getOut();
    out.printf(
        "Starting cluster '%s': %d nodes. Logs: %s%n",
        plan.name(), plan.nodes().size(), folder.path());
    out.flush();
    final StartWatch watch = new StartWatch(folder, out, patience);
    try (OwnedNodes nodes = new OwnedNodes(folder, plan, () -> {})) {
      nodes.start(processes, watch);
      nodes.release();
    }
    summarize(out, folder, plan, watch.elapsed());
  }

  private void summarize(
      PrintWriter out, ClusterFolder folder, ClusterPlan plan, Duration elapsed) {
    final URI address = folder.frontend(plan);
    final String served = servedName(address);
    out.println();
    out.printf("  %-10s%s%n", "model", served);
    out.printf("  %-10s%s%n", "address", address);
    out.printf("  %-10sstator join %s --role decode%n", "join", plan.contacts().getFirst());
    out.println();
    out.println("  " + StartSummary.curl(address, served));
    out.println();
    out.printf(
        "Serving in %s. 'stator cluster status' shows it, 'stator cluster down' ends it.%n",
        Durations.format(elapsed));
    out.flush();
  }

  /** The first model that is served there; empty text when there is none. */
  private static String servedName(URI address) {
    try (OpenAiClient client = new OpenAiClient(address, Optional.empty(), QUESTION_TIMEOUT)) {
      return client.models().stream().findFirst().orElse("");
    }
  }
}
