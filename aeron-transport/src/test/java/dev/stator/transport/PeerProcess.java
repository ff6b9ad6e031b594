package dev.stator.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A class of the tests in a JVM of its own, which is told lines and answers in lines. <b>Threads:
 * </b> any may kill or signal it, one talks to it.
 */
final class PeerProcess implements AutoCloseable {
  private static final int SECONDS_MAX = 10;

  private final Process process;
  private final BufferedReader answers;

  private PeerProcess(Process process) {
    this.process = process;
    this.answers = process.inputReader();
  }

  /** Returns when it says that it is ready. */
  static PeerProcess start(Class<?> main, String... arguments) throws IOException {
    final List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElseThrow());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-XX:TieredStopAtLevel=1");
    command.add("-Xmx64m");
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    command.addAll(List.of(arguments));
    final var peer =
        new PeerProcess(new ProcessBuilder(command).redirectError(Redirect.INHERIT).start());
    try {
      peer.await("ready");
      return peer;
    } catch (IOException | AssertionError broken) {
      peer.close();
      throw broken;
    }
  }

  void tell(String line) throws IOException {
    process.outputWriter().write(line + "\n");
    process.outputWriter().flush();
  }

  /** The rest of the next line, which begins like this. */
  String await(String word) throws IOException {
    final String line = answers.readLine();
    assertTrue(line != null && line.startsWith(word), "said: " + line);
    return line.substring(word.length()).strip();
  }

  void awaitEnd() throws InterruptedException {
    assertTrue(process.waitFor(3 * SECONDS_MAX, TimeUnit.SECONDS));
  }

  /** Returns when it is gone. */
  void kill() {
    process.destroyForcibly().onExit().orTimeout(SECONDS_MAX, TimeUnit.SECONDS).join();
  }

  void signal(String name) {
    try {
      final Process kill =
          new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).inheritIO().start();
      assertTrue(kill.waitFor(SECONDS_MAX, TimeUnit.SECONDS));
      assertEquals(0, kill.exitValue());
    } catch (IOException | InterruptedException broken) {
      throw new IllegalStateException(broken);
    }
  }

  @Override
  public void close() {
    kill();
  }
}
