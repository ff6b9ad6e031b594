package dev.stator.cli;

import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code stator version}. */
@Command(
    name = "version",
    description = "Show the versions of Stator and of the Java that runs it.",
    footer = {"", "Example:", "  stator version"})
final class VersionCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    final PrintWriter out = spec.commandLine().getOut();
    for (String line : new Version().getVersion()) out.println(line);
  }
}
