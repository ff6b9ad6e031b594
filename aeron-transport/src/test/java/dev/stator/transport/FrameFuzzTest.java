package dev.stator.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Hostile blocks straight into an agent. */
class FrameFuzzTest {
  private static final int BLOCK_BYTES = 32;

  @Test
  void shouldChangeNothingOutsideTheGrantAndCountEveryRefusal() {
    final Random random = new Random(5);
    final TapBackend tap = new TapBackend();
    final TransferAgent agent =
        new TransferAgent(
            "agent", TransferBackendContract.SETTINGS, tap, System::nanoTime, new Random(9));
    try (Arena arena = Arena.ofShared()) {
      final MemorySegment memory = arena.allocate(16 * BLOCK_BYTES);
      final MemorySegment before = arena.allocate(16 * BLOCK_BYTES);
      final Grant grant =
          agent
              .grant(
                  agent.register(memory, BLOCK_BYTES),
                  List.of(4, 5),
                  Duration.ofHours(1),
                  outcome -> {})
              .orElseThrow();
      for (int i = 0; i < 20_000; i++) {
        final TransferStatus status = attack(tap.sink, grant, random, arena);
        assertNotEquals(TransferStatus.OK, status);
        assertEquals(i + 1, agent.stats().rejectedBlocks());
      }
      assertEquals(-1, head(memory).mismatch(head(before)));
      assertEquals(-1, tail(memory).mismatch(tail(before)));
      assertEquals(0, agent.stats().receivedBytes());
      agent.close();
    }
  }

  /** A frame with at least one thing wrong; the checksum is always. */
  private static TransferStatus attack(BlockSink sink, Grant grant, Random random, Arena arena) {
    final long id = random.nextInt(4) == 0 ? random.nextLong() : grant.id();
    final long keyHigh = random.nextInt(4) == 0 ? random.nextLong() : grant.keyHigh();
    final long keyLow = random.nextInt(4) == 0 ? random.nextLong() : grant.keyLow();
    final int block = random.nextInt(3) == 0 ? random.nextInt() : 4 + random.nextInt(2);
    final int length = random.nextInt(3) == 0 ? random.nextInt(100) : BLOCK_BYTES;
    final MemorySegment bytes = MemorySegment.ofArray(new byte[length]);
    final int checksum = Checksums.crc32c(arena.allocate(Math.max(1, length))) + 1;
    return sink.deliver(new BlockDelivery(id, keyHigh, keyLow, block, checksum, bytes));
  }

  private static MemorySegment head(MemorySegment memory) {
    return memory.asSlice(0, 4 * BLOCK_BYTES);
  }

  private static MemorySegment tail(MemorySegment memory) {
    return memory.asSlice(6 * BLOCK_BYTES);
  }
}
