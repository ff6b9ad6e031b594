package dev.stator.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Copies of blocks are given back whatever becomes of the blocks; calls of a backend by hand. */
class HeldBlocksTest {
  private static final TransferSettings SETTINGS =
      new TransferSettings(9, 9, 9, 9, Duration.ofSeconds(2), Duration.ofMillis(10), 1);
  private static final Duration LIFE = Duration.ofSeconds(5);
  private static final int BLOCK_BYTES = 64;
  private static final int HALF = BLOCK_BYTES / 2;
  private static final int BUFFERS = 4;

  private final Arena arena = Arena.ofShared();
  private final AtomicLong nowNs = new AtomicLong();
  private final TapBackend tap = new TapBackend();
  private final TransferAgent agent =
      new TransferAgent("agent", SETTINGS, tap, nowNs::get, new Random(1));
  private final MemorySegment memory = arena.allocate(8 * BLOCK_BYTES);
  private final DistantBlocks blocks = new DistantBlocks(memory, BLOCK_BYTES, BUFFERS);
  private final int memoryId = agent.register(blocks);
  private final List<WriteOutcome> told = new ArrayList<>();
  private final MemorySegment bytes = arena.allocate(BLOCK_BYTES).fill((byte) 7);

  @AfterEach
  void stop() {
    agent.close();
    assertEquals(0, blocks.held(), "buffers are lost");
    arena.close();
  }

  @Test
  void shouldMakeABlockOfItsPiecesWhenTheyAreVerified() {
    final BlockLanding landing = half(grant(1));
    assertTrue(landing.put(HALF, bytes.asSlice(HALF)));
    assertUntouched();
    assertEquals(TransferStatus.OK, landing.finish(Checksums.crc32c(bytes)));
    assertEquals(-1, bytes.mismatch(memory.asSlice(BLOCK_BYTES, BLOCK_BYTES)));
    assertEquals(0, blocks.held());
  }

  @Test
  void shouldLeaveTheBlockAsItWasWhenItsChecksumIsWrong() {
    final BlockLanding landing = half(grant(1));
    landing.put(HALF, bytes.asSlice(HALF));
    assertEquals(TransferStatus.BAD_CHECKSUM, landing.finish(0));
    assertNothingHeld();
  }

  @Test
  void shouldGiveUpALandingWhenAPieceDoesNotFit() {
    final BlockLanding landing = half(grant(1));
    assertFalse(landing.put(HALF + 1, bytes.asSlice(HALF)));
    assertNothingHeld();
  }

  @Test
  void shouldGiveUpALandingWhenNothingMoreWillCome() {
    final BlockLanding landing = half(grant(1));
    landing.abandon();
    assertNothingHeld();
    assertFalse(landing.put(HALF, bytes.asSlice(HALF)));
    assertEquals(TransferStatus.CANCELLED, landing.ended());
  }

  @Test
  void shouldGiveUpALandingWhenAnotherTakesItsBlock() {
    final Grant grant = grant(1, 2);
    final BlockLanding first = half(grant);
    final BlockLanding second = begin(grant);
    assertNothingHeld();
    assertFalse(first.put(HALF, bytes.asSlice(HALF)));
    second.put(0, bytes);
    assertEquals(1, blocks.held());
    final var whole =
        new BlockDelivery(
            grant.id(), grant.keyHigh(), grant.keyLow(), 1, Checksums.crc32c(bytes), bytes);
    assertEquals(TransferStatus.OK, tap.sink.deliver(whole));
    assertEquals(0, blocks.held());
    assertEquals(TransferStatus.OK, second.finish(0), "it has arrived");
  }

  @Test
  void shouldGiveUpALandingWhenItsGrantIsRevoked() {
    final Grant grant = grant(1, 2);
    final BlockLanding landing = half(grant);
    agent.revoke(grant.id());
    assertNothingHeld();
    assertEquals(TransferStatus.UNKNOWN_GRANT, landing.finish(Checksums.crc32c(bytes)));
  }

  @Test
  void shouldGiveUpALandingWhenItsGrantExpires() {
    half(grant(1, 2));
    nowNs.addAndGet(LIFE.toNanos());
    agent.poll();
    assertNothingHeld();
    final BlockLanding late = half(grant(3));
    nowNs.addAndGet(LIFE.toNanos());
    assertFalse(late.put(HALF, bytes.asSlice(HALF)));
    assertNothingHeld();
  }

  @Test
  void shouldGiveUpALandingWhenTheMemoryIsDeregistered() {
    half(grant(1));
    agent.deregister(memoryId);
    assertNothingHeld();
  }

  @Test
  void shouldRefuseALandingWhenAllBuffersAreHeld() {
    final List<BlockLanding> landings = new ArrayList<>();
    for (int i = 1; i <= BUFFERS; i++) landings.add(half(grant(i), i));
    final Grant last = grant(BUFFERS + 1);
    final BlockLanding tooMany = begin(last, BUFFERS + 1);
    assertFalse(tooMany.put(0, bytes));
    assertEquals(TransferStatus.BACK_PRESSURED, tooMany.ended());
    landings.getFirst().abandon();
    final BlockLanding again = begin(last, BUFFERS + 1);
    assertTrue(again.put(0, bytes));
    landings.add(again);
    landings.forEach(BlockLanding::abandon);
    assertNothingHeld();
  }

  @Test
  void shouldHoldACopyWhileItIsSentInPieces() {
    final BlockWrite write = write(1);
    final MemorySegment first = write.acquire();
    write.pause();
    assertEquals(first, write.acquire());
    write.release();
    assertEquals(1, blocks.reads.get());
    assertEquals(0, blocks.held());
    assertNotNull(write.acquire());
    assertEquals(2, blocks.reads.get(), "released, it is copied anew");
    write.release();
  }

  @Test
  void shouldGiveUpAPausedCopyWhenTheWriteIsWithdrawn() {
    final BlockWrite write = write(1);
    write.acquire();
    write.pause();
    agent.withdraw(memoryId, Set.of(1));
    assertEquals(0, blocks.held());
    assertEquals(TransferStatus.CANCELLED, told.getFirst().status());
    assertNull(write.acquire());
  }

  @Test
  void shouldGiveUpACopyWhenItsWriteEndsWhileItIsRead() {
    final BlockWrite write = write(1);
    write.acquire();
    agent.poll();
    nowNs.addAndGet(SETTINGS.writeTimeout().toNanos());
    agent.poll();
    assertEquals(1, blocks.held());
    assertTrue(told.isEmpty(), "told while it is being read");
    write.pause();
    assertEquals(0, blocks.held());
    assertEquals(TransferStatus.TIMED_OUT, told.getFirst().status());
  }

  @Test
  void shouldCopyAnewWhenABlockGoesAnotherWay() {
    final BlockWrite write = write(1);
    write.rescueWhenUnreachable(() -> true);
    write.acquire();
    write.pause();
    write.complete(TransferStatus.UNREACHABLE);
    assertEquals(0, blocks.held());
    assertTrue(told.isEmpty());
    assertNotNull(write.acquire());
    write.release();
    write.complete(TransferStatus.OK);
    assertEquals(TransferStatus.OK, told.getFirst().status());
  }

  @Test
  void shouldPushAWriteBackWhenAllBuffersAreHeld() {
    final BlockWrite write = write(1);
    final List<BlockDraft> all =
        IntStream.range(0, BUFFERS).<BlockDraft>mapToObj(blocks::draft).toList();
    assertNull(write.acquire());
    assertEquals(TransferStatus.BACK_PRESSURED, told.getFirst().status());
    all.forEach(BlockDraft::close);
  }

  @Test
  void shouldLetGoOfAWriteWhoseMemoryIsBroken() {
    final BlockWrite write = write(1);
    blocks.isBroken = true;
    assertThrows(IllegalStateException.class, write::acquire);
    write.complete(TransferStatus.FAILED);
    assertEquals(TransferStatus.FAILED, told.getFirst().status());
  }

  @Test
  void shouldHoldOneOfManySourcesAtATime() {
    write(1, 2, 3, 4);
    try (SourceBlocks sources = SourceBlocks.acquire(tap.offered)) {
      for (int i = 0; i < 4; i++) assertNotNull(sources.block(i));
    }
    assertEquals(1, blocks.heldMax());
    assertEquals(0, blocks.held());
  }

  @Test
  void shouldPushBackThoseOfManySourcesThatCannotBeHeld() {
    write(1, 2);
    final List<BlockDraft> all =
        IntStream.range(0, BUFFERS).<BlockDraft>mapToObj(blocks::draft).toList();
    try (SourceBlocks sources = SourceBlocks.acquire(tap.offered)) {
      assertNull(sources.block(0));
      all.getFirst().close();
      assertNotNull(sources.block(1));
      assertTrue(told.isEmpty());
    }
    tap.offered.getLast().complete(TransferStatus.OK);
    assertEquals(TransferStatus.BACK_PRESSURED, told.getFirst().status());
    assertEquals(1, told.getFirst().missing().size());
    all.subList(1, BUFFERS).forEach(BlockDraft::close);
  }

  private Grant grant(Integer... granted) {
    return agent.grant(memoryId, List.of(granted), LIFE, outcome -> {}).orElseThrow();
  }

  private BlockWrite write(int... sources) {
    final List<BlockMove> moves =
        IntStream.of(sources).mapToObj(block -> new BlockMove(block, block)).toList();
    final Grant there =
        new Grant(
            agent.address(),
            99,
            1,
            1,
            moves.stream().map(BlockMove::targetBlock).toList(),
            blocks.geometry(),
            LIFE);
    agent.write(there, memoryId, moves, told::add);
    return tap.offered.getFirst();
  }

  private BlockLanding begin(Grant grant) {
    return begin(grant, 1);
  }

  private BlockLanding begin(Grant grant, int block) {
    return tap.sink.begin(grant.id(), grant.keyHigh(), grant.keyLow(), block, BLOCK_BYTES);
  }

  private BlockLanding half(Grant grant) {
    return half(grant, grant.blocks().getFirst());
  }

  private BlockLanding half(Grant grant, int block) {
    final BlockLanding landing = begin(grant, block);
    assertTrue(landing.put(0, bytes.asSlice(0, HALF)));
    return landing;
  }

  private void assertNothingHeld() {
    assertEquals(0, blocks.held());
    assertUntouched();
  }

  private void assertUntouched() {
    assertEquals(-1, memory.mismatch(arena.allocate(memory.byteSize())), "a block has changed");
  }
}
