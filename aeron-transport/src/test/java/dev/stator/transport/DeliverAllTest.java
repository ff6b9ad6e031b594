package dev.stator.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Whole blocks that arrive together, at a real agent and its memory. */
class DeliverAllTest {
  private static final int BLOCK_BYTES = 100;
  private static final TransferSettings SETTINGS =
      new TransferSettings(8, 8, 32, 64, Duration.ofSeconds(2), Duration.ofMillis(10), 1);

  private final Arena arena = Arena.ofShared();
  private final MemorySegment memory = arena.allocate(8 * BLOCK_BYTES);
  private final MemorySegment good = arena.allocate(BLOCK_BYTES);
  private final TapBackend tap = new TapBackend();
  private final TransferAgent agent =
      new TransferAgent("agent", SETTINGS, tap, System::nanoTime, new Random(1));
  private final int memoryId = agent.register(memory, BLOCK_BYTES);
  private final List<GrantOutcome> ended = new ArrayList<>();
  private final Grant grant =
      agent.grant(memoryId, List.of(0, 1, 2), Duration.ofHours(1), ended::add).orElseThrow();

  DeliverAllTest() {
    good.fill((byte) 5);
  }

  @AfterEach
  void stop() {
    agent.close();
    arena.close();
  }

  @Test
  void shouldEndEachByItself() {
    final MemorySegment damaged = arena.allocate(BLOCK_BYTES);
    final MemorySegment gone;
    try (Arena shortLived = Arena.ofShared()) {
      gone = shortLived.allocate(BLOCK_BYTES);
    }
    assertEquals(
        List.of(
            TransferStatus.FAILED,
            TransferStatus.BAD_CHECKSUM,
            TransferStatus.OUT_OF_RANGE,
            TransferStatus.WRONG_LENGTH,
            TransferStatus.OK),
        deliver(
            delivery(0, gone),
            delivery(1, damaged),
            delivery(7, good),
            delivery(2, good.asSlice(1)),
            delivery(2, good)));
    assertEquals(4, agent.stats().rejectedBlocks());
    assertEquals(
        List.of(TransferStatus.OK, TransferStatus.OK),
        deliver(delivery(1, good), delivery(0, good)));
    assertEquals(List.of(new GrantOutcome(grant.id(), GrantOutcome.Ending.COMPLETE, 3, 3)), ended);
    for (int block = 0; block < 3; block++) {
      assertEquals(-1, good.mismatch(memory.asSlice(block * BLOCK_BYTES, BLOCK_BYTES)));
    }
  }

  @Test
  void shouldTakeOneOfTwoOfTheSameBlock() {
    assertEquals(
        Set.of(TransferStatus.BUSY, TransferStatus.OK),
        Set.copyOf(deliver(delivery(1, good), delivery(1, good))));
  }

  @Test
  void shouldLetTheGrantEndAfterwards() {
    deliver(delivery(1, arena.allocate(BLOCK_BYTES)));
    agent.revoke(grant.id());
    assertEquals(GrantOutcome.Ending.REVOKED, ended.getFirst().ending());
    assertEquals(List.of(TransferStatus.UNKNOWN_GRANT), deliver(delivery(1, good)));
  }

  private List<TransferStatus> deliver(BlockDelivery... deliveries) {
    return tap.sink.deliverAll(List.of(deliveries));
  }

  private BlockDelivery delivery(int target, MemorySegment bytes) {
    return new BlockDelivery(
        grant.id(), grant.keyHigh(), grant.keyLow(), target, Checksums.crc32c(good), bytes);
  }
}
