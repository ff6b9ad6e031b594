package dev.stator.cli.cluster;

import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;

/** A command of another program that ends, with all that it has started, when this process does. */
final class OwnedCommand {
  /** Where threads stand that run at this process's end, as {@link Runtime} has them. */
  interface AtEnd {
    AtEnd OF_THIS_PROCESS =
        new AtEnd() {
          @Override
          public void add(Thread hook) {
            Runtime.getRuntime().addShutdownHook(hook);
          }

          @Override
          public void remove(Thread hook) {
            Runtime.getRuntime().removeShutdownHook(hook);
          }
        };

    /**
     * @throws IllegalStateException when the end has begun
     */
    void add(Thread hook);

    /**
     * @throws IllegalStateException when the end has begun
     */
    void remove(Thread hook);
  }

  private OwnedCommand() {}

  /**
   * Runs it to its end.
   *
   * @return its exit code
   */
  static int run(ProcessBuilder builder, AtEnd atEnd) throws IOException, InterruptedException {
    final Process process = builder.start();
    final Thread onEnd = new Thread(() -> end(process), "end-command");
    try {
      atEnd.add(onEnd);
      return process.waitFor();
    } finally {
      if (process.isAlive()) end(process); // Interrupted, or told to end already.
      forget(onEnd, atEnd);
    }
  }

  /** A shell hears of a signal when what it has started is over, so that ends first. */
  private static void end(Process process) {
    final List<ProcessHandle> started;
    try (Stream<ProcessHandle> all = process.descendants()) {
      started = all.toList();
    }
    started.forEach(ProcessHandle::destroy);
    process.destroy();
  }

  private static void forget(Thread onEnd, AtEnd atEnd) {
    try {
      atEnd.remove(onEnd);
    } catch (IllegalStateException ending) {
      // It runs, and finds nothing to end.
    }
  }
}
