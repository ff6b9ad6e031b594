package dev.stator.cli;

import dev.stator.cluster.NodeRole;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code stator seed}: the first node of a cluster. */
@Command(
    name = "seed",
    sortOptions = false,
    abbreviateSynopsis = true,
    description = {
      "Start the first node of a cluster, in the foreground.",
      "Others join it with 'stator join'; so does this one, when it starts again while others live."
    },
    footer = {
      "",
      "SIGTERM and Ctrl-C drain the node, then stop it.",
      "",
      "Examples:",
      "  stator seed --role frontend --cluster-host 10.0.0.1 --host 0.0.0.0",
      "  stator seed Llama-3.2-3B-Instruct-Q4_K_M.gguf"
    })
final class SeedCommand implements Callable<Integer> {
  private final CliContext context;

  @Spec private CommandSpec spec;

  @Parameters(index = "0", arity = "0..1", paramLabel = "MODEL", description = MemberNode.MODEL)
  private String model;

  @Option(
      names = {"--name", "--node-name"},
      paramLabel = "NODE",
      description = "The node's name, unique in the cluster. Default: its roles and a number.")
  private String name;

  @Mixin private ClusterOptions cluster;
  @Mixin private AddressOptions address;

  @Option(
      names = "--peers",
      paramLabel = "HOST:PORT[,..]",
      description = "Members that may live already: the node joins them rather than begin anew.")
  private String peers;

  @Mixin private MemberNode node;

  SeedCommand(CliContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws InterruptedException {
    final Set<NodeRole> roles = cluster.roles("all");
    final List<String> contacts =
        peers == null ? List.of() : ClusterMembership.parseContacts(peers);
    return node.serve(context, spec, model, address, cluster.founding(name, roles, contacts));
  }
}
