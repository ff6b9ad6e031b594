package dev.stator.app;

import dev.stator.cli.NodeStartException;
import dev.stator.cli.StatorCli;

/** Where the process begins. */
public final class Main {
  private Main() {}

  /** Runs the command line and exits with its code. */
  public static void main(String[] arguments) {
    System.exit(
        StatorCli.run(
            settings -> {
              throw new NodeStartException("this build contains no node to start");
            },
            arguments));
  }
}
