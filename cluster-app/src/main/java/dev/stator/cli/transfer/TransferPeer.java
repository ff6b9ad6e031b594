package dev.stator.cli.transfer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stator.transport.BlockMemory;
import dev.stator.transport.Grant;
import dev.stator.transport.SharedMemory;
import dev.stator.transport.TransferAgent;
import dev.stator.transport.node.TransferBackends;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.IntStream;

/** The receiving process: does what its standard input says, until that ends. */
final class TransferPeer implements AutoCloseable {
  private static final Duration GRANT_LIFE = Duration.ofMinutes(10);

  /** An agent that receives blocks of one length by one backend. */
  record Receiver(TransferAgent agent, int memory, TransferBackends backends)
      implements AgentWay.Granter {
    static Receiver open(
        TransferBackends backends, String agentName, SharedMemory target, int blockBytes) {
      final TransferAgent agent = Backends.agent(agentName, backends.selector());
      final BlockMemory memory = BlockMemory.of(target, Backends.geometry(blockBytes));
      return new Receiver(agent, agent.register(memory), backends);
    }

    @Override
    public Grant grant(int blocks) {
      return agent
          .grant(memory, IntStream.range(0, blocks).boxed().toList(), GRANT_LIFE, outcome -> {})
          .orElseThrow(() -> new IllegalStateException("no grant of " + blocks + " blocks"));
    }

    @Override
    public void close() {
      agent.close();
      backends.close();
    }
  }

  private final SharedMemory target;
  private final Map<String, Receiver> receivers = new HashMap<>();

  private TransferPeer(long bytes) {
    target = Backends.memory(bytes);
  }

  /** Started by {@link PeerProcess}, with the bytes to receive as its argument. */
  public static void main(String[] arguments) throws IOException {
    final PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    System.setOut(System.err); // Nothing but answers goes there.
    try (TransferPeer peer = new TransferPeer(Long.parseLong(arguments[0]));
        BufferedReader in =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      WarmHeap.warm();
      out.println(PeerMessages.answer());
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        out.println(peer.answer(PeerMessages.parse(line)));
      }
    }
  }

  private ObjectNode answer(JsonNode request) {
    try {
      return switch (request.get("do").asText()) {
        case PeerMessages.OPEN -> open(request);
        case PeerMessages.GRANT ->
            PeerMessages.encode(receiver(request).grant(request.get("blocks").asInt()));
        case PeerMessages.CLOSE -> close(request);
        case PeerMessages.LISTEN -> listen();
        default -> throw new IllegalArgumentException("unknown request " + request);
      };
    } catch (IOException | RuntimeException failure) {
      return PeerMessages.failure(failure);
    }
  }

  private ObjectNode open(JsonNode request) {
    final String name = request.get("name").asText();
    receivers.put(
        name,
        Receiver.open(
            Backends.start(request.get("backend").asText()),
            name,
            target,
            request.get("block_bytes").asInt()));
    return PeerMessages.answer();
  }

  private Receiver receiver(JsonNode request) {
    return receivers.get(request.get("name").asText());
  }

  private ObjectNode close(JsonNode request) {
    receivers.remove(request.get("name").asText()).close();
    return PeerMessages.answer();
  }

  private ObjectNode listen() throws IOException {
    final ServerSocketChannel server =
        ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    final int port = ((InetSocketAddress) server.getLocalAddress()).getPort();
    final MemorySegment memory = target.segment();
    Thread.ofPlatform().daemon().name("tcp-receiver").start(() -> serve(server, memory));
    return PeerMessages.answer().put("port", port);
  }

  private static void serve(ServerSocketChannel server, MemorySegment memory) {
    try {
      TcpWay.serve(server, memory);
    } catch (IOException broken) {
      System.err.println("tcp: " + broken);
    }
  }

  @Override
  public void close() {
    receivers.values().forEach(Receiver::close);
    target.close();
  }
}
