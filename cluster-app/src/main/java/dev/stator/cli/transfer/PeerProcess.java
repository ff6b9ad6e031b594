package dev.stator.cli.transfer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stator.cli.CommandException;
import dev.stator.transport.Grant;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.EOFException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The receiving process, seen from the sending one. Used by one thread. */
final class PeerProcess implements AutoCloseable {
  private static final List<String> NOT_INHERITED =
      List.of("-agentlib:", "-javaagent:", "-Dstator.stderr", "-XX:AOT", "-Xrunjdwp");
  private static final int CLOSE_SECONDS = 10;

  private final Process process;
  private final BufferedReader answers;
  private final BufferedWriter requests;

  private PeerProcess(Process process) {
    this.process = process;
    this.answers = process.inputReader();
    this.requests = process.outputWriter();
  }

  /** Starts it with this process's Java, options and classes; waits until its memory is there. */
  static PeerProcess start(long bytes) throws IOException {
    final List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    for (String option : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      if (NOT_INHERITED.stream().noneMatch(option::startsWith)) command.add(option);
    }
    command.addAll(
        List.of(
            "-cp",
            System.getProperty("java.class.path"),
            TransferPeer.class.getName(),
            Long.toString(bytes)));
    final PeerProcess peer =
        new PeerProcess(
            new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start());
    try {
      peer.readAnswer();
    } catch (IOException | RuntimeException failure) {
      peer.close();
      throw failure;
    }
    return peer;
  }

  private JsonNode ask(ObjectNode request) throws IOException {
    requests.write(request.toString());
    requests.newLine();
    requests.flush();
    return readAnswer();
  }

  private JsonNode readAnswer() throws IOException {
    final String line = answers.readLine();
    if (line == null) throw new EOFException("the receiving process has ended");
    final JsonNode answer = PeerMessages.parse(line);
    if (answer.has("error")) {
      throw new CommandException("the receiving process: " + answer.get("error").asText(), null);
    }
    return answer;
  }

  /** Opens an agent there. */
  AgentWay.Granter open(String backend, int blockBytes) throws IOException {
    final String name = "receiver-" + backend + "-" + blockBytes;
    ask(
        PeerMessages.request(PeerMessages.OPEN)
            .put("name", name)
            .put("backend", backend)
            .put("block_bytes", blockBytes));
    return new AgentWay.Granter() {
      @Override
      public Grant grant(int blocks) throws IOException {
        return PeerMessages.decode(
            ask(PeerMessages.request(PeerMessages.GRANT).put("name", name).put("blocks", blocks)));
      }

      @Override
      public void close() throws IOException {
        ask(PeerMessages.request(PeerMessages.CLOSE).put("name", name));
      }
    };
  }

  /** The port of a TCP receiver for one connection. */
  int listen() throws IOException {
    return ask(PeerMessages.request(PeerMessages.LISTEN)).get("port").asInt();
  }

  /** CPU time of the whole process since its start. */
  Duration cpuTime() {
    return process.info().totalCpuDuration().orElse(Duration.ZERO);
  }

  @Override
  public void close() {
    try {
      requests.close();
      if (process.waitFor(CLOSE_SECONDS, TimeUnit.SECONDS)) return;
    } catch (IOException gone) {
      // It ends anyway.
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
    process.destroyForcibly();
  }
}
