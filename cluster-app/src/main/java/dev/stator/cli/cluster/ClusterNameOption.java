package dev.stator.cli.cluster;

import dev.stator.cli.CliContext;
import picocli.CommandLine.Option;

/** Which of this machine's clusters is meant. */
final class ClusterNameOption {
  @Option(
      names = "--name",
      paramLabel = "CLUSTER",
      description = "Which cluster. Default: the only one there is, else 'local'.")
  private String name;

  ClusterFolder folder(CliContext context) {
    return ClusterFolder.meant(context.environment(), name);
  }

  /** For a cluster that is yet to be. */
  ClusterFolder newFolder(CliContext context) {
    return ClusterFolder.of(
        context.environment(), name == null ? ClusterFolder.DEFAULT_NAME : name);
  }
}
