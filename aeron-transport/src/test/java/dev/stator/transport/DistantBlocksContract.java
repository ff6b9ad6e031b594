package dev.stator.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What holds besides where both agents' blocks are out of the CPU's reach. */
abstract class DistantBlocksContract extends TransferBackendContract {
  private static final int BUFFERS = 8;
  private static final FaultyBackend.Faults DAMAGE = new FaultyBackend.Faults(0, 0, 0, 0, 1);

  private DistantBlocks sources;
  private DistantBlocks targets;

  @Override
  BlockMemory sourceBlocks(MemorySegment usual) {
    sources = new DistantBlocks(usual, BLOCK_BYTES, BUFFERS);
    return sources;
  }

  @Override
  BlockMemory targetBlocks(MemorySegment usual) {
    targets = new DistantBlocks(usual, BLOCK_BYTES, BUFFERS);
    return targets;
  }

  @Override
  void stopped() {
    assertEquals(0, sources.held() + targets.held(), "buffers are lost");
  }

  @Test
  void shouldHoldOneCopyAtATimeHoweverManyBlocksGo() throws Exception {
    final List<BlockMove> moves = new ArrayList<>();
    for (int i = 0; i < 30; i++) moves.add(new BlockMove(i, i));
    final Grant grant = grant(moves.stream().map(BlockMove::targetBlock).toList());
    assertEquals(TransferStatus.OK, write(grant, moves.toArray(BlockMove[]::new)).status());
    assertMoved(moves.toArray(BlockMove[]::new));
    assertEquals(30, sources.reads.get());
    assertEquals(30, targets.commits.get());
    assertTrue(sources.heldMax() < BUFFERS && targets.heldMax() < BUFFERS, "held: too many");
  }

  @Test
  void shouldPushBackWhenNoBufferIsFreeAndMoveTheBlockLater() throws Exception {
    final Grant grant = grant(List.of(1));
    for (DistantBlocks full : List.of(sources, targets)) {
      final List<BlockDraft> all = new ArrayList<>();
      for (int i = 0; i < BUFFERS; i++) all.add(full.draft(0));
      assertEquals(TransferStatus.BACK_PRESSURED, write(grant, new BlockMove(0, 1)).status());
      assertUnchanged();
      all.forEach(BlockDraft::close);
    }
    assertEquals(TransferStatus.OK, write(grant, new BlockMove(0, 1)).status());
    assertMoved(new BlockMove(0, 1));
  }

  @Test
  void shouldFailTheBlockAloneWhenItsMemoryIsBroken() throws Exception {
    final Grant grant = grant(List.of(1));
    for (DistantBlocks broken : List.of(sources, targets)) {
      broken.isBroken = true;
      assertEquals(TransferStatus.FAILED, write(grant, new BlockMove(0, 1)).status());
      broken.isBroken = false;
    }
    assertEquals(TransferStatus.OK, write(grant, new BlockMove(0, 1)).status());
  }

  @Test
  void shouldLeaveABlockAsItWasWhenWhatArrivesIsDamaged() throws Exception {
    restart(backend -> new FaultyBackend(backend, DAMAGE, new Random(5)));
    final Grant grant = grant(List.of(1, 2));
    assertEquals(TransferStatus.BAD_CHECKSUM, write(grant, new BlockMove(0, 1)).status());
    assertUnchanged();
    assertEquals(0, targets.commits.get());
  }
}
