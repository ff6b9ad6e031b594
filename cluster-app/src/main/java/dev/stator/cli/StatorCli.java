package dev.stator.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The {@code stator} command: what its parts share, and how an error reaches the user. */
@Command(name = "stator")
public final class StatorCli {
  private StatorCli() {}

  /**
   * Runs a command line.
   *
   * @return the exit code: 0 done, 1 failed, 2 wrong usage
   */
  public static int run(NodeStarter starter, String... arguments) {
    return new CommandLine(new StatorCli()).execute(arguments);
  }
}
