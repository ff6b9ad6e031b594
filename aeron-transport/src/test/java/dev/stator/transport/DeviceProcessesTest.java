package dev.stator.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.transport.device.DeviceIpcBackend;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
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

/** Two processes with a device each, one of which is killed or stopped at the worst moment. */
@Timeout(60)
class DeviceProcessesTest {
  private static final long PEER_SEED = 3;
  private static final Duration LIFE = Duration.ofSeconds(10);
  private static final int BATCH = 32;
  private static final int MIDDLE = BATCH + 8; // The block at whose pull something happens.

  @TempDir Path folder;
  @TempDir Path devices;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment peersBlocks = arena.allocate(bytes(SharedPeer.BLOCKS), 8);
  private final AtomicLong nowNs = new AtomicLong();
  private final AtomicInteger pulls = new AtomicInteger();
  private final CompletableFuture<GrantOutcome> granted = new CompletableFuture<>();
  private final CompletableFuture<Void> stopped = new CompletableFuture<>();
  private SharedMemory pool;
  private LentBlocks blocks;
  private DeviceIpcBackend backend;
  private TransferAgent agent;
  private int memoryId;
  private PeerProcess peer;

  private static long bytes(int blockCount) {
    return (long) blockCount * SharedPeer.BLOCK_BYTES;
  }

  @BeforeEach
  void start() throws IOException {
    SharedPeer.fill(peersBlocks, PEER_SEED);
    pool = SharedMemory.allocate(devices, bytes(SharedPeer.BLOCKS));
    blocks = DevicePeer.blocks(pool);
    backend = DeviceBackends.start(folder, "");
    agent =
        new TransferAgent(
            "tested", SharedPeer.SETTINGS, backend, nowNs::get, new SplittableRandom(5));
    memoryId = agent.register(blocks);
    peer =
        PeerProcess.start(
            DevicePeer.class, folder.toString(), devices.toString(), Long.toString(PEER_SEED));
  }

  @AfterEach
  void stop() throws Exception {
    peer.close();
    agent.close();
    backend.close();
    assertEquals(blocks.lender().opens.get(), blocks.lender().closes.get());
    pool.close();
    DeviceBackends.start(folder, "").close(); // Whoever starts next finds what is left.
    assertEquals(0, SharedBackends.fileCount(folder), "leftovers of the dead");
    arena.close();
  }

  @Test
  void shouldMoveEveryBlockThereAndBack() throws Exception {
    peer.tell("write " + SharedPeer.encode(grant()));
    assertEquals("OK " + SharedPeer.BLOCKS, peer.await("written"));
    assertEquals(GrantOutcome.Ending.COMPLETE, granted.get(10, TimeUnit.SECONDS).ending());
    assertEquals(-1, pool.segment().mismatch(peersBlocks));
    peer.tell("grant 100");
    final Grant theirs = SharedPeer.decode(peer.await("granted"));
    final var written = new CompletableFuture<WriteOutcome>();
    agent.write(theirs, memoryId, SharedPeer.moves(theirs), written::complete);
    assertEquals(TransferStatus.OK, written.get(10, TimeUnit.SECONDS).status());
    assertEquals(bytes(100), agent.stats().sentBytes());
  }

  @Test
  void shouldCountNothingThatAWriterThatIsKilledHasNotConfirmed() throws Exception {
    inTheMiddle(peer::kill);
    final Grant grant = grant();
    peer.tell("write " + SharedPeer.encode(grant));
    peer.awaitEnd();
    agent.revoke(grant.id());
    final GrantOutcome outcome = granted.get(10, TimeUnit.SECONDS);
    assertTrue(outcome.arrivedBlocks() <= BATCH, "of the batch that was pulled before: " + outcome);
    final long arrived = bytes(outcome.contiguousBlocks());
    assertEquals(-1, pool.segment().asSlice(0, arrived).mismatch(peersBlocks.asSlice(0, arrived)));
  }

  @Test
  void shouldNotCountWhatAWriterThatHungConfirmsWhenItWakes() throws Exception {
    inTheMiddle(() -> {
      peer.signal("STOP");
      nowNs.addAndGet(LIFE.toNanos());
      stopped.complete(null);
    });
    peer.tell("write " + SharedPeer.encode(grant()));
    stopped.get(30, TimeUnit.SECONDS);
    agent.poll();
    assertEquals(GrantOutcome.Ending.EXPIRED, granted.get(10, TimeUnit.SECONDS).ending());
    pool.segment().fill((byte) 9); // The blocks are another's by now.
    final MemorySegment before = arena.allocate(bytes(SharedPeer.BLOCKS)).fill((byte) 9);
    peer.signal("CONT");
    final String answer = peer.await("written");
    assertTrue(answer.startsWith("UNKNOWN_GRANT"), answer);
    assertEquals(-1, pool.segment().mismatch(before));
  }

  private void inTheMiddle(Runnable event) {
    blocks.lender().onPull =
        () -> {
          if (pulls.incrementAndGet() == MIDDLE) event.run();
        };
  }

  private Grant grant() {
    final List<Integer> all = IntStream.range(0, SharedPeer.BLOCKS).boxed().toList();
    return agent.grant(memoryId, all, LIFE, granted::complete).orElseThrow();
  }
}
