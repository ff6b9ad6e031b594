package dev.stator.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.transport.file.FileBackend;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Over any backend, whatever happens on the way, posting again gets every block there, right. */
@Timeout(120)
class FaultyTransfersTest {
  private static final FaultyBackend.Faults FAULTS =
      new FaultyBackend.Faults(0.05, 0.1, 0.1, 0.1, 0.1);
  private static final TransferSettings SETTINGS =
      new TransferSettings(8, 8, 32, 64, Duration.ofSeconds(5), Duration.ofMillis(10), 1);
  private static final int BLOCK_BYTES = 4096;
  private static final int BLOCKS = 8;
  private static final int SEEDS = 12;
  private static final int ATTEMPTS_MAX = 300;
  private static final long ATTEMPT_MS_MAX = 15;

  @TempDir Path folder;
  private final AtomicLong nowNs = new AtomicLong();

  @Test
  void shouldArriveInTheEndWithinAProcess() throws Exception {
    for (int seed = 0; seed < SEEDS; seed++) move(InProcessBackend.create(SETTINGS), seed);
  }

  @Test
  void shouldArriveInTheEndThroughSharedMemory() throws Exception {
    for (int seed = 0; seed < SEEDS; seed++) move(SharedBackends.start(folder, ""), seed);
  }

  @Test
  void shouldArriveInTheEndAsFiles() throws Exception {
    for (int seed = 0; seed < SEEDS / 3; seed++) {
      move(FileBackend.start(FileBackendTest.settings(folder)), seed);
    }
  }

  /** Writes some blocks there and reads them back to another place. */
  private void move(TransferBackend backend, int seed) throws Exception {
    final FaultyBackend faulty = new FaultyBackend(backend, FAULTS, new Random(seed));
    final TransferAgent here = agent("here", faulty);
    final TransferAgent there = agent("there", faulty);
    try (Arena arena = Arena.ofShared()) {
      final MemorySegment source = arena.allocate(BLOCKS * BLOCK_BYTES, 8);
      final MemorySegment target = arena.allocate(BLOCKS * BLOCK_BYTES, 8);
      final MemorySegment back = arena.allocate((BLOCKS + 1) * BLOCK_BYTES, 8);
      SharedPeer.fill(source, seed);
      final int targetId = there.register(target, BLOCK_BYTES);
      write(here, here.register(source, BLOCK_BYTES), there, targetId, faulty);
      assertEquals(-1, target.mismatch(source));
      read(there, targetId, here, here.register(back, BLOCK_BYTES), faulty);
      assertEquals(-1, back.asSlice(0, source.byteSize()).mismatch(source));
      final MemorySegment canary = back.asSlice(source.byteSize());
      assertEquals(-1, canary.mismatch(arena.allocate(BLOCK_BYTES)));
      assertTrue(faulty.faultCount() > 0);
      here.close();
      there.close();
      faulty.close();
    }
  }

  private void write(
      TransferAgent writer, int sourceId, TransferAgent receiver, int targetId, FaultyBackend over)
      throws Exception {
    final var granted = new CompletableFuture<GrantOutcome>();
    final List<BlockMove> moves = moves();
    final List<Integer> blocks = moves.stream().map(BlockMove::targetBlock).toList();
    final Grant grant =
        receiver.grant(targetId, blocks, Duration.ofDays(1), granted::complete).orElseThrow();
    attempt(
        over,
        () -> !granted.isDone(),
        ended -> writer.write(grant, sourceId, moves, outcome -> ended.accept(null)),
        writer);
    assertEquals(GrantOutcome.Ending.COMPLETE, granted.get(1, TimeUnit.SECONDS).ending());
  }

  private void read(
      TransferAgent exporter, int sourceId, TransferAgent reader, int targetId, FaultyBackend over)
      throws Exception {
    final List<BlockMove> moves = moves();
    final List<Integer> blocks = moves.stream().map(BlockMove::sourceBlock).toList();
    final Export export =
        exporter.export(sourceId, blocks, Duration.ofDays(1), outcome -> {}).orElseThrow();
    final var outcomes = new ConcurrentLinkedDeque<ReadOutcome>();
    attempt(
        over,
        () -> outcomes.isEmpty() || !outcomes.getLast().missing().isEmpty(),
        ended -> {
          final List<BlockMove> missing = outcomes.isEmpty() ? moves : outcomes.getLast().missing();
          reader.read(
              export,
              targetId,
              missing,
              outcome -> {
                outcomes.add(outcome);
                ended.accept(null);
              });
        },
        reader,
        exporter);
  }

  /** Posts again until done; what is stuck is ended by the clock. */
  private void attempt(
      FaultyBackend over,
      BooleanSupplier isOpen,
      Consumer<Consumer<Void>> post,
      TransferAgent... agents)
      throws Exception {
    for (int i = 0; i < ATTEMPTS_MAX && isOpen.getAsBoolean(); i++) {
      final var ended = new CompletableFuture<Void>();
      post.accept(ended::complete);
      over.flush();
      try {
        ended.get(ATTEMPT_MS_MAX, TimeUnit.MILLISECONDS);
      } catch (TimeoutException stuck) {
        nowNs.addAndGet(SETTINGS.writeTimeout().toNanos());
        for (TransferAgent agent : agents) agent.poll();
        ended.get(10, TimeUnit.SECONDS);
      }
    }
  }

  private static List<BlockMove> moves() {
    return IntStream.range(0, BLOCKS).mapToObj(i -> new BlockMove(i, i)).toList();
  }

  private TransferAgent agent(String name, TransferBackend over) {
    return new TransferAgent(name, SETTINGS, over, nowNs::get, new Random(11));
  }
}
