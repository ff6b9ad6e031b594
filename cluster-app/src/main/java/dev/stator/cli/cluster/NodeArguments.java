package dev.stator.cli.cluster;

import dev.stator.cli.CliContext;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** The nodes that a command is about, of one of this machine's clusters. */
final class NodeArguments {
  @Parameters(arity = "1..*", paramLabel = "NODE", description = "Such as decode-1.")
  private List<String> names = new ArrayList<>();

  @Mixin private ClusterNameOption cluster;

  ClusterFolder folder(CliContext context) {
    return cluster.folder(context);
  }

  /** Each once, in the order given. */
  List<NodePlan> of(ClusterPlan plan) {
    return new LinkedHashSet<>(names).stream().map(plan::node).toList();
  }
}
