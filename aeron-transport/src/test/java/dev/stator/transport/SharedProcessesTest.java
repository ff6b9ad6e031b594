package dev.stator.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.transport.shared.SharedBackend;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two processes, one of which is killed or stopped at the worst moment. */
@Timeout(60)
class SharedProcessesTest {
  private static final long PEER_SEED = 3;
  private static final long OWN_SEED = 4;
  private static final Duration LIFE = Duration.ofSeconds(10);
  private static final int MIDDLE = 20; // The block at whose copy something happens.

  @TempDir Path folder;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment memory = arena.allocate(poolBytes(), 8);
  private final MemorySegment peersPool = arena.allocate(poolBytes(), 8);
  private final MemorySegment before = arena.allocate(poolBytes(), 8);
  private final AtomicLong nowNs = new AtomicLong();
  private final AtomicInteger copies = new AtomicInteger();
  private final CompletableFuture<GrantOutcome> granted = new CompletableFuture<>();
  private final CompletableFuture<Void> stopped = new CompletableFuture<>();
  private Runnable inTheMiddle = () -> {};
  private SharedBackend backend;
  private TransferAgent agent;
  private int memoryId;
  private Process peer;
  private BufferedReader answers;

  private static long poolBytes() {
    return (long) SharedPeer.BLOCKS * SharedPeer.BLOCK_BYTES;
  }

  @BeforeEach
  void start() throws IOException {
    SharedPeer.fill(peersPool, PEER_SEED);
    SharedPeer.fill(memory, OWN_SEED);
    before.copyFrom(memory);
    backend = SharedBackends.start(folder, "threads = 1"); // Nothing moves in the middle.
    agent =
        new TransferAgent(
            "tested", SharedPeer.SETTINGS, backend, nowNs::get, new SplittableRandom(5));
    memoryId = agent.register(new Hooked());
    peer =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:TieredStopAtLevel=1",
                "-Xmx64m",
                "-cp",
                System.getProperty("java.class.path"),
                SharedPeer.class.getName(),
                folder.toString(),
                Long.toString(PEER_SEED))
            .redirectError(Redirect.INHERIT)
            .start();
    answers = peer.inputReader();
    await("ready");
  }

  @AfterEach
  void stop() throws Exception {
    peer.destroyForcibly();
    assertTrue(peer.waitFor(10, TimeUnit.SECONDS));
    agent.close();
    backend.close();
    SharedBackends.start(folder, "").close(); // Whoever starts next finds what is left.
    assertEquals(0, SharedBackends.fileCount(folder), "leftovers of the dead");
    arena.close();
  }

  @Test
  void shouldMoveEveryBlock() throws Exception {
    tell("write " + SharedPeer.encode(grant(SharedPeer.BLOCKS)));
    assertEquals("OK " + SharedPeer.BLOCKS, await("written"));
    assertEquals(GrantOutcome.Ending.COMPLETE, granted.get(10, TimeUnit.SECONDS).ending());
    assertEquals(-1, memory.mismatch(peersPool));
  }

  @Test
  void shouldKeepWhatHasArrivedWhenTheWriterIsKilledInTheMiddle() throws Exception {
    inTheMiddle = this::kill;
    final Grant grant = grant(200);
    tell("write " + SharedPeer.encode(grant));
    assertTrue(peer.waitFor(30, TimeUnit.SECONDS));
    agent.revoke(grant.id());
    final GrantOutcome outcome = granted.get(10, TimeUnit.SECONDS);
    assertEquals(GrantOutcome.Ending.REVOKED, outcome.ending());
    assertTrue(
        outcome.arrivedBlocks() >= MIDDLE - 4,
        outcome.toString()); // By three threads, in no order.
    final long arrivedBytes = (long) outcome.contiguousBlocks() * SharedPeer.BLOCK_BYTES;
    assertEquals(-1, memory.asSlice(0, arrivedBytes).mismatch(peersPool.asSlice(0, arrivedBytes)));
    assertUnchangedFrom(200, before);
  }

  @Test
  void shouldEndTheWriteAtOnceWhenTheReceiverIsKilledInTheMiddle() throws Exception {
    tell("grant 200");
    final Grant grant = SharedPeer.decode(await("granted"));
    final var written = new CompletableFuture<WriteOutcome>();
    inTheMiddle = this::kill;
    agent.write(grant, memoryId, SharedPeer.moves(grant), written::complete);
    final WriteOutcome outcome = written.get(10, TimeUnit.SECONDS); // No clock has moved.
    assertEquals(TransferStatus.UNREACHABLE, outcome.status());
    assertNotEquals(List.of(), outcome.missing());
    assertEquals(0, agent.stats().inFlightBlocks());
  }

  @Test
  void shouldNotLetAWriterThatHungInTheMiddleWriteIntoWhatHasBeenGivenAway() throws Exception {
    inTheMiddle =
        () -> {
          signal("STOP");
          nowNs.addAndGet(LIFE.toNanos());
          stopped.complete(null);
        };
    tell("write " + SharedPeer.encode(grant(200)));
    stopped.get(30, TimeUnit.SECONDS);
    giveAway();
    signal("CONT");
    final String answer = await("written");
    assertTrue(answer.startsWith("UNKNOWN_GRANT"), answer);
    assertEquals(-1, memory.mismatch(before));
  }

  @Test
  void shouldNotLetAWriterThatHungBeforeItsFirstBlockWriteIntoWhatHasBeenGivenAway()
      throws Exception {
    signal("STOP");
    tell("write " + SharedPeer.encode(grant(200)));
    giveAway();
    signal("CONT");
    assertEquals("UNKNOWN_GRANT 0", await("written"));
    assertEquals(-1, memory.mismatch(before));
    assertEquals(200L, agent.stats().rejected().get(TransferStatus.UNKNOWN_GRANT));
  }

  /** The grant's life ends, and somebody else writes into its blocks. */
  private void giveAway() throws Exception {
    nowNs.addAndGet(LIFE.toNanos());
    agent.poll();
    assertEquals(GrantOutcome.Ending.EXPIRED, granted.get(10, TimeUnit.SECONDS).ending());
    memory.fill((byte) 9);
    before.copyFrom(memory);
  }

  private void assertUnchangedFrom(int block, MemorySegment expected) {
    final long offset = (long) block * SharedPeer.BLOCK_BYTES;
    assertEquals(-1, memory.asSlice(offset).mismatch(expected.asSlice(offset)));
  }

  private Grant grant(int count) {
    final List<Integer> blocks = IntStream.range(0, count).boxed().toList();
    return agent.grant(memoryId, blocks, LIFE, granted::complete).orElseThrow();
  }

  private void tell(String line) throws IOException {
    peer.outputWriter().write(line + "\n");
    peer.outputWriter().flush();
  }

  /** The rest of the next line, which begins like this. */
  private String await(String word) throws IOException {
    final String line = answers.readLine();
    assertTrue(line != null && line.startsWith(word), "said: " + line);
    return line.substring(word.length()).strip();
  }

  private void kill() {
    peer.destroyForcibly().onExit().orTimeout(10, TimeUnit.SECONDS).join();
  }

  private void signal(String name) {
    try {
      final Process kill =
          new ProcessBuilder("kill", "-" + name, Long.toString(peer.pid())).inheritIO().start();
      assertTrue(kill.waitFor(10, TimeUnit.SECONDS));
      assertEquals(0, kill.exitValue());
    } catch (IOException | InterruptedException broken) {
      throw new IllegalStateException(broken);
    }
  }

  /** This process's memory; something happens as one of its blocks is about to be touched. */
  private final class Hooked implements DirectBlocks {
    private final DirectBlocks plain = BlockMemory.of(memory, SharedPeer.GEOMETRY);

    @Override
    public int blockCount() {
      return plain.blockCount();
    }

    @Override
    public BlockGeometry geometry() {
      return plain.geometry();
    }

    @Override
    public Optional<SharedMemory> shared() {
      return Optional.empty();
    }

    @Override
    public MemorySegment block(int blockIndex) {
      if (copies.incrementAndGet() == MIDDLE) inTheMiddle.run();
      return plain.block(blockIndex);
    }
  }
}
