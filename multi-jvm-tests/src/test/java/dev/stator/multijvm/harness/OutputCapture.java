package dev.stator.multijvm.harness;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The lines of a stream, read by a thread of its own as they come. Any thread may look. */
final class OutputCapture {
  private final List<String> lines = new ArrayList<>();
  private boolean ended;

  OutputCapture(String name, InputStream stream) {
    Thread.ofVirtual().name(name).start(() -> read(stream));
  }

  /** The first line, past or to come, in which {@code pattern} is found; empty at the end. */
  synchronized Optional<Matcher> waitFor(Pattern pattern, Duration timeout)
      throws InterruptedException {
    final long deadlineNs = System.nanoTime() + timeout.toNanos();
    for (int next = 0; ; next++) {
      while (next == lines.size()) {
        final long leftMs = (deadlineNs - System.nanoTime()) / 1_000_000;
        if (ended || leftMs <= 0) return Optional.empty();
        wait(leftMs);
      }
      final Matcher matcher = pattern.matcher(lines.get(next));
      if (matcher.find()) return Optional.of(matcher);
    }
  }

  /** Everything, once the stream has ended or the time is over. */
  synchronized String whole(Duration timeout) throws InterruptedException {
    final long deadlineNs = System.nanoTime() + timeout.toNanos();
    for (long leftMs; !ended && (leftMs = (deadlineNs - System.nanoTime()) / 1_000_000) > 0; ) {
      wait(leftMs);
    }
    return soFar();
  }

  synchronized String soFar() {
    return lines.isEmpty() ? "" : String.join("\n", lines) + "\n";
  }

  private void read(InputStream stream) {
    try (BufferedReader reader =
        new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
      String line;
      while ((line = reader.readLine()) != null) add(line);
    } catch (IOException closed) {
      // The process was killed.
    } finally {
      end();
    }
  }

  private synchronized void add(String line) {
    lines.add(line);
    notifyAll();
  }

  private synchronized void end() {
    ended = true;
    notifyAll();
  }
}
