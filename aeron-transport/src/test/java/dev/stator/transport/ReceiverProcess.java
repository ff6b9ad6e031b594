package dev.stator.transport;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** A receiver in a process of its own, which a test may kill or halt. */
final class ReceiverProcess implements AutoCloseable {
  private final Process process;
  private final BufferedReader grants;

  private ReceiverProcess(Process process) {
    this.process = process;
    this.grants = process.inputReader();
  }

  /**
   * @param backend {@code ipc} or {@code udp}
   * @param overrides of {@code stator.transport.aeron}
   */
  static ReceiverProcess start(String backend, String overrides) throws IOException {
    return new ReceiverProcess(
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                ReceiverProcess.class.getName(),
                backend,
                overrides)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start());
  }

  public static void main(String[] arguments) throws IOException {
    final TransferBackend backend = AeronTransports.of(arguments[0], arguments[1]);
    try (TransferSide side = new TransferSide("receiver", backend, 5);
        BufferedReader in =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        final Grant grant = side.grant(0, TransferSide.BLOCKS);
        final String endpoint = grant.agent().endpoints().get(arguments[0]);
        System.out.println(
            "grant %s %d %d %d".formatted(endpoint, grant.id(), grant.keyHigh(), grant.keyLow()));
      }
    }
  }

  /** Of all its blocks. */
  Grant grant(String backend) throws IOException {
    process.outputWriter().write("\n");
    process.outputWriter().flush();
    String line = grants.readLine();
    while (line != null && !line.startsWith("grant ")) line = grants.readLine();
    if (line == null) throw new IOException("the receiver has ended");
    final String[] words = line.split(" ");
    return new Grant(
        new AgentAddress("receiver", HostId.current(), Map.of(backend, words[1])),
        Long.parseLong(words[2]),
        Long.parseLong(words[3]),
        Long.parseLong(words[4]),
        List.copyOf(IntStream.range(0, TransferSide.BLOCKS).boxed().toList()),
        new BlockGeometry(TransferSide.BLOCK_BYTES, BlockGeometry.PLAIN),
        Duration.ofMinutes(1));
  }

  /** Stops it, as a debugger or a machine in trouble does; none of its threads runs afterwards. */
  void stop() throws Exception {
    signal("STOP");
    final long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (!isStopped()) {
      if (System.nanoTime() > deadlineNs) throw new AssertionError("the process does not stop");
      Thread.yield();
    }
  }

  void goOn() throws Exception {
    signal("CONT");
  }

  private void signal(String name) throws Exception {
    new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor();
  }

  private boolean isStopped() throws IOException {
    try (Stream<Path> threads = Files.list(Path.of("/proc/" + process.pid() + "/task"))) {
      for (Path thread : threads.toList()) {
        if (!Files.readString(thread.resolve("status")).contains("\nState:\tT")) return false;
      }
    }
    return true;
  }

  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
