package dev.stator.multijvm.harness;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** A command of the system that is soon done. */
final class SystemCommand {
  private SystemCommand() {}

  /**
   * What it prints, errors included.
   *
   * @throws AssertionError when it cannot run, fails, or has not ended in time; then it is killed
   */
  static String run(Duration timeout, String... command) {
    final String what = String.join(" ", command);
    try {
      final Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      try {
        process.getOutputStream().close();
        final OutputCapture output = new OutputCapture(command[0], process.getInputStream());
        final boolean ended = process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS);
        if (!ended) throw new AssertionError(what + " does not end: " + output.soFar().strip());
        final String text = output.whole(timeout);
        if (process.exitValue() != 0) throw new AssertionError(what + ": " + text.strip());
        return text;
      } finally {
        process.destroyForcibly();
      }
    } catch (IOException missing) {
      throw new AssertionError(what + ": " + missing.getMessage(), missing);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new AssertionError(what + " was interrupted", interrupted);
    }
  }
}
