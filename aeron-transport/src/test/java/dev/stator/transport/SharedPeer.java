package dev.stator.transport;

import dev.stator.transport.shared.SharedBackend;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * A process with an agent and a pool, told what to do line by line.
 *
 * <pre>
 *   write GRANT     writes block i of the pool into the grant's block i; answers: written STATUS BLOCKS
 *   grant COUNT     grants the first blocks; answers: granted GRANT
 * </pre>
 */
final class SharedPeer {
  static final int BLOCK_BYTES = 64 * 1024;
  static final int BLOCKS = 256;
  static final BlockGeometry GEOMETRY = new BlockGeometry(BLOCK_BYTES, BlockGeometry.PLAIN);
  static final TransferSettings SETTINGS =
      new TransferSettings(
          8, 8, BLOCKS, 2 * BLOCKS, Duration.ofMinutes(1), Duration.ofMillis(10), 1);

  private SharedPeer() {}

  /** The same bytes in every process. */
  static void fill(MemorySegment memory, long seed) {
    final SplittableRandom random = new SplittableRandom(seed);
    for (long at = 0; at < memory.byteSize(); at += Long.BYTES) {
      memory.set(ValueLayout.JAVA_LONG, at, random.nextLong());
    }
  }

  static String encode(Grant grant) {
    final var message = new AgentMessage.ReadRequest(0, 0, 0, grant, moves(grant));
    final ByteBuffer bytes = AgentMessageCodec.encode(message);
    return Base64.getEncoder().encodeToString(Arrays.copyOf(bytes.array(), bytes.limit()));
  }

  static Grant decode(String text) {
    final ByteBuffer bytes = ByteBuffer.wrap(Base64.getDecoder().decode(text));
    return ((AgentMessage.ReadRequest) AgentMessageCodec.decode(bytes).orElseThrow()).grant();
  }

  static List<BlockMove> moves(Grant grant) {
    return IntStream.range(0, grant.blocks().size())
        .mapToObj(i -> new BlockMove(i, grant.blocks().get(i)))
        .toList();
  }

  /** Arguments: the folder, the pool's seed. */
  public static void main(String[] arguments) throws IOException {
    final SharedBackend backend = SharedBackends.start(Path.of(arguments[0]), "");
    final SharedMemory pool = backend.allocate((long) BLOCKS * BLOCK_BYTES);
    fill(pool.segment(), Long.parseLong(arguments[1]));
    final var agent =
        new TransferAgent("peer", SETTINGS, backend, System::nanoTime, new SplittableRandom(7));
    serve(agent, agent.register(BlockMemory.of(pool, GEOMETRY)));
  }

  /** Does what it is told, until there is nobody to tell it. */
  static void serve(TransferAgent agent, int memoryId) throws IOException {
    System.out.println("ready");
    final BufferedReader lines =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      final String[] words = line.split(" ");
      if (words[0].equals("write")) write(agent, memoryId, decode(words[1]));
      else grant(agent, memoryId, Integer.parseInt(words[1]));
    }
  }

  private static void write(TransferAgent agent, int memoryId, Grant grant) {
    agent.write(
        grant,
        memoryId,
        moves(grant),
        outcome ->
            System.out.println("written " + outcome.status() + " " + outcome.writtenBlocks()));
  }

  private static void grant(TransferAgent agent, int memoryId, int count) {
    final List<Integer> blocks = IntStream.range(0, count).boxed().toList();
    final Grant grant =
        agent.grant(memoryId, blocks, Duration.ofMinutes(1), outcome -> {}).orElseThrow();
    System.out.println("granted " + encode(grant));
  }
}
