package dev.stator.cli;

import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;

/** A node in the foreground: start, summary, wait, stop. */
final class Serving {
  private Serving() {}

  /** Returns when the node has stopped. A signal that ends the JVM stops the node first. */
  static void untilStopped(NodeStarter starter, NodeSettings settings, PrintWriter out)
      throws InterruptedException {
    try (RunningNode node = starter.start(settings)) {
      final Thread closer = new Thread(node::close, "stop-on-signal");
      Runtime.getRuntime().addShutdownHook(closer);
      out.print(StartSummary.format(node.summary()));
      out.println(readyLine(sinceProcessStart()));
      out.flush();
      node.awaitTermination();
    }
  }

  /** The line that says that requests are answered; scripts wait for its first word. */
  static String readyLine(Duration sinceStart) {
    return "Ready in %,d ms. Ctrl-C stops.".formatted(sinceStart.toMillis());
  }

  private static Duration sinceProcessStart() {
    final Instant now = Instant.now();
    return Duration.between(ProcessHandle.current().info().startInstant().orElse(now), now);
  }
}
