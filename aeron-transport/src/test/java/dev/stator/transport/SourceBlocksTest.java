package dev.stator.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Sources that are read together, of writes of a real agent. */
class SourceBlocksTest {
  private static final int BLOCKS = 4;
  private static final int BLOCK_BYTES = 64;
  private static final TransferSettings SETTINGS =
      new TransferSettings(9, 9, BLOCKS, 99, Duration.ofSeconds(2), Duration.ofMillis(10), 1);

  private final Arena arena = Arena.ofShared();
  private final TapBackend tap = new TapBackend();
  private final TransferAgent writer =
      new TransferAgent("writer", SETTINGS, tap, () -> 0, new Random(1));
  private final List<WriteOutcome> told = Collections.synchronizedList(new ArrayList<>());

  @AfterEach
  void stop() {
    writer.close();
    arena.close();
  }

  @Test
  void shouldTellTheEndOfAWriteWhenItIsReadNoLonger() {
    final long writeId = write(memory(), 2);
    try (SourceBlocks sources = SourceBlocks.acquire(tap.offered)) {
      assertEquals(BLOCK_BYTES, sources.block(1).byteSize());
      assertNull(tap.offered.getFirst().acquire(), "it is being read already");
      writer.cancel(writeId);
      assertTrue(told.isEmpty(), "told while its blocks are being read");
    }
    assertEquals(TransferStatus.CANCELLED, told.getFirst().status());
    assertEquals(1, told.size());
  }

  @Test
  void shouldLeaveOutWhatIsNotToBeRead() {
    final int closedId = memory();
    write(memory(), 2);
    write(closedId, 1);
    write(memory(), 1);
    tap.offered.getFirst().complete(TransferStatus.CANCELLED);
    writer.deregister(closedId);
    try (SourceBlocks sources = SourceBlocks.acquire(tap.offered)) {
      assertEquals(
          List.of(true, false, true, false),
          IntStream.range(0, 4).mapToObj(i -> sources.block(i) == null).toList());
    }
  }

  @Test
  void shouldKeepEveryMemoryOpenUntilItIsReadNoLonger() throws Exception {
    final int firstId = memory();
    final int secondId = memory();
    write(firstId, 2);
    write(secondId, 1);
    write(firstId, 1);
    final List<CompletableFuture<Void>> gone = new ArrayList<>();
    try (SourceBlocks sources = SourceBlocks.acquire(tap.offered)) {
      for (int id : List.of(firstId, secondId)) {
        gone.add(
            CompletableFuture.runAsync(() -> writer.deregister(id), Thread::startVirtualThread));
      }
      for (var each : gone) {
        assertThrows(TimeoutException.class, () -> each.get(50, TimeUnit.MILLISECONDS));
      }
      for (int i = 0; i < 4; i++) assertNotNull(sources.block(i));
    }
    for (var each : gone) each.get(10, TimeUnit.SECONDS);
    assertEquals(3, told.size());
  }

  @Test
  void shouldLetGoOfAllWritesWhenTheEndOfOneCannotBeTold() {
    write(memory(), 2);
    final BlockWrite broken = tap.offered.getFirst();
    broken.rescueWhenUnreachable(() -> {
      throw new IllegalStateException("no other way");
    });
    final SourceBlocks sources = SourceBlocks.acquire(tap.offered);
    broken.complete(TransferStatus.UNREACHABLE);
    assertThrows(IllegalStateException.class, sources::close);
    assertFalse(tap.offered.getLast().hasEnded());
    for (BlockWrite write : tap.offered) write.complete(TransferStatus.FAILED);
    assertEquals(1, told.size(), "nothing is being read any more");
  }

  private int memory() {
    return writer.register(arena.allocate(BLOCKS * BLOCK_BYTES), BLOCK_BYTES);
  }

  private long write(int memoryId, int count) {
    final List<Integer> blocks = IntStream.range(0, count).boxed().toList();
    final Grant grant =
        new Grant(
            new AgentAddress("reader", "host", Map.of()),
            1,
            2,
            3,
            blocks,
            new BlockGeometry(BLOCK_BYTES, BlockGeometry.PLAIN),
            Duration.ofSeconds(1));
    final List<BlockMove> moves = blocks.stream().map(i -> new BlockMove(i, i)).toList();
    return writer.write(grant, memoryId, moves, told::add);
  }
}
