package dev.stator.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.transport.shared.SharedBackend;
import java.io.IOException;
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
  private PeerProcess peer;

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
    peer = PeerProcess.start(SharedPeer.class, folder.toString(), Long.toString(PEER_SEED));
  }

  @AfterEach
  void stop() throws Exception {
    peer.close();
    agent.close();
    backend.close();
    SharedBackends.start(folder, "").close(); // Whoever starts next finds what is left.
    assertEquals(0, SharedBackends.fileCount(folder), "leftovers of the dead");
    arena.close();
  }

  @Test
  void shouldMoveEveryBlock() throws Exception {
    peer.tell("write " + SharedPeer.encode(grant(SharedPeer.BLOCKS)));
    assertEquals("OK " + SharedPeer.BLOCKS, peer.await("written"));
    assertEquals(GrantOutcome.Ending.COMPLETE, granted.get(10, TimeUnit.SECONDS).ending());
    assertEquals(-1, memory.mismatch(peersPool));
  }

  @Test
  void shouldKeepWhatHasArrivedWhenTheWriterIsKilledInTheMiddle() throws Exception {
    inTheMiddle = peer::kill;
    final Grant grant = grant(200);
    peer.tell("write " + SharedPeer.encode(grant));
    peer.awaitEnd();
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
    peer.tell("grant 200");
    final Grant grant = SharedPeer.decode(peer.await("granted"));
    final var written = new CompletableFuture<WriteOutcome>();
    inTheMiddle = peer::kill;
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
          peer.signal("STOP");
          nowNs.addAndGet(LIFE.toNanos());
          stopped.complete(null);
        };
    peer.tell("write " + SharedPeer.encode(grant(200)));
    stopped.get(30, TimeUnit.SECONDS);
    giveAway();
    peer.signal("CONT");
    final String answer = peer.await("written");
    assertTrue(answer.startsWith("UNKNOWN_GRANT"), answer);
    assertEquals(-1, memory.mismatch(before));
  }

  @Test
  void shouldNotLetAWriterThatHungBeforeItsFirstBlockWriteIntoWhatHasBeenGivenAway()
      throws Exception {
    peer.signal("STOP");
    peer.tell("write " + SharedPeer.encode(grant(200)));
    giveAway();
    peer.signal("CONT");
    assertEquals("UNKNOWN_GRANT 0", peer.await("written"));
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
