package dev.stator.app;

import dev.stator.cli.StatorCli;
import java.util.Locale;

/** The process's entry. */
public final class Main {
  private Main() {}

  /** Runs a command line and ends the process with its exit code, whatever threads still live. */
  public static void main(String[] arguments) {
    Locale.setDefault(Locale.Category.FORMAT, Locale.ROOT); // Figures read alike everywhere.
    HeadStart.of(arguments);
    int exitCode = 1;
    try {
      exitCode = StatorCli.run(new StatorNodeStarter(), arguments);
    } catch (
        Throwable failure) { // Such as a missing JVM flag, at class loading: no thread may keep the
      // process.
      System.err.println("error: " + failure);
    }
    System.exit(exitCode);
  }
}
