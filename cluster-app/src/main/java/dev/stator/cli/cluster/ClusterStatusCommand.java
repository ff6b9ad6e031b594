package dev.stator.cli.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stator.cli.CliContext;
import dev.stator.cli.StateFile;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code stator cluster status}: its processes, and what its nodes know. */
@Command(
    name = "status",
    sortOptions = false,
    abbreviateSynopsis = true,
    description = "Show the processes of a cluster, and what its nodes know of each other.",
    footer = {
      "",
      "Example:",
      "  stator cluster status"
    })
final class ClusterStatusCommand implements Callable<Integer> {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final CliContext context;

  @Spec private CommandSpec spec;

  @Mixin private ClusterNameOption name;

  @Option(names = "--json", description = "As JSON, for programs.")
  private boolean isJson;

  ClusterStatusCommand(CliContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws InterruptedException {
    final ClusterFolder folder = name.folder(context);
    final ClusterPlan plan = folder.plan();
    final Optional<JsonNode> view = new Observers(folder, plan).view();
    final PrintWriter out = spec.commandLine().getOut();
    out.print(isJson ? json(folder, plan, view) : text(folder, plan, view));
    out.flush();
    return folder.isUp() ? 0 : 1;
  }

  private static String text(ClusterFolder folder, ClusterPlan plan, Optional<JsonNode> view) {
    final TextTable table = new TextTable("PROCESS", ">PID", "IS", "HTTP", "LOG");
    for (NodePlan node : plan.nodes()) {
      table.row(
          node.name(),
          folder.process(node.name()).map(process -> Long.toString(process.pid())).orElse(""),
          label(folder.state(node.name())),
          folder.served(node.name()).map(served -> served.http().toString()).orElse(""),
          folder.log(node.name()).toString());
    }
    final String seen =
        view.map(ClusterPicture::draw)
            .orElse(folder.isUp() ? "No node answers.\n" : "The cluster is down.\n");
    return table + "\n" + seen;
  }

  private static String json(ClusterFolder folder, ClusterPlan plan, Optional<JsonNode> view) {
    final ObjectNode json = JSON.createObjectNode().put("name", plan.name());
    json.put("folder", folder.path().toString());
    final ArrayNode processes = json.putArray("processes");
    for (NodePlan node : plan.nodes()) {
      final ObjectNode process = processes.addObject().put("name", node.name());
      process.put("role", node.role());
      process.put("pid", folder.process(node.name()).map(ProcessMark::pid).orElse(null));
      process.put("process", label(folder.state(node.name())));
      process.put(
          "http", folder.served(node.name()).map(served -> served.http().toString()).orElse(null));
      process.put("cluster", folder.served(node.name()).map(StateFile::cluster).orElse(null));
      process.put("log", folder.log(node.name()).toString());
    }
    json.set("cluster", view.orElse(null));
    return json.toPrettyString() + "\n";
  }

  private static String label(ProcessMark.State state) {
    return state.name().toLowerCase(Locale.ROOT);
  }
}
