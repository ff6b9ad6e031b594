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

/** {@code stator join}: a further node of a cluster. */
@Command(
    name = "join",
    sortOptions = false,
    abbreviateSynopsis = true,
    description =
        "Start a node that joins a cluster through any of its members, in the foreground.",
    footer = {
      "",
      "SIGTERM and Ctrl-C drain the node, then stop it.",
      "",
      "Examples:",
      "  stator join 10.0.0.1:17355 --role decode",
      "  stator join 10.0.0.1:17355,10.0.0.2:17355 --role prefill Llama-3.2-3B-Instruct-Q4_K_M.gguf"
    })
final class JoinCommand implements Callable<Integer> {
  private final CliContext context;

  @Spec private CommandSpec spec;

  @Parameters(
      index = "0",
      paramLabel = "HOST:PORT[,..]",
      description = "Members to join through; one that answers is enough.")
  private String members;

  @Parameters(index = "1", arity = "0..1", paramLabel = "MODEL", description = MemberNode.MODEL)
  private String model;

  @Option(
      names = {"--name", "--node-name"},
      paramLabel = "NODE",
      description = "The node's name, unique in the cluster. Default: its roles and a number.")
  private String name;

  @Mixin private ClusterOptions cluster;
  @Mixin private AddressOptions address;
  @Mixin private MemberNode node;

  JoinCommand(CliContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws InterruptedException {
    final Set<NodeRole> roles = cluster.roles("all");
    final List<String> contacts = ClusterMembership.parseContacts(members);
    return node.serve(context, spec, model, address, cluster.joining(name, roles, contacts));
  }
}
