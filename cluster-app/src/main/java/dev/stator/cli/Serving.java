package dev.stator.cli;

import java.io.PrintWriter;
import java.time.Duration;

/** A node in the foreground: start, summary, wait, stop. */
final class Serving {
  private Serving() {}

  /**
   * Returns when the node has stopped, and fails when nobody had asked it to. A signal that ends
   * the JVM stops the node first; the process's exit code is then 0, since stopping is what was
   * asked for.
   */
  static void untilStopped(
      NodeStarter starter, NodeSettings settings, PrintWriter out, PrintWriter err)
      throws InterruptedException {
    try (RunningNode node = starter.start(settings)) {
      final Thread onSignal = new Thread(() -> stopAndHalt(node, err), "stop-on-signal");
      Runtime.getRuntime().addShutdownHook(onSignal);
      out.print(StartSummary.format(node.summary()));
      out.println(readyLine(ProcessAge.now()));
      out.flush();
      settings.cluster().ifPresent(member -> StateFile.write(member, node.summary()));
      node.awaitTermination();
      forget(onSignal);
      if (node.failure().isPresent()) throw new CommandException(node.failure().get());
    }
  }

  private static void stopAndHalt(RunningNode node, PrintWriter err) {
    drain(node, err);
    System.out.flush();
    System.err.flush();
    Runtime.getRuntime().halt(0);
  }

  /** Stops the node; says so first, since running requests may take a while. */
  static void drain(RunningNode node, PrintWriter err) {
    err.println("Draining, up to " + node.drainTimeout().toSeconds() + " s.");
    err.flush();
    node.close();
  }

  private static void forget(Thread onSignal) {
    try {
      Runtime.getRuntime().removeShutdownHook(onSignal);
    } catch (IllegalStateException signalled) {
      // The hook is running: it ends the process.
    }
  }

  /** The line that says that requests are answered; scripts wait for its first word. */
  static String readyLine(Duration sinceStart) {
    return "Ready in " + Quantities.grouped(sinceStart.toMillis()) + " ms. Ctrl-C stops.";
  }
}
