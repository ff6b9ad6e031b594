package dev.stator.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Agents of one process whose blocks go from memory to memory past the CPU. */
class StraightBlocksTest extends TransferBackendContract {
  private DistantBlocks sources;
  private DistantBlocks targets;

  private static DistantBlocks reaching(MemorySegment usual) {
    final var blocks = new DistantBlocks(usual, BLOCK_BYTES, 1);
    blocks.reachesOthers = true;
    return blocks;
  }

  @Override
  TransferBackend backend() {
    return InProcessBackend.create(SETTINGS);
  }

  @Override
  BlockMemory sourceBlocks(MemorySegment usual) {
    sources = reaching(usual);
    return sources;
  }

  @Override
  BlockMemory targetBlocks(MemorySegment usual) {
    targets = reaching(usual);
    return targets;
  }

  @Override
  void stopped() {
    assertEquals(0, sources.reads.get() + targets.commits.get(), "blocks went through buffers");
  }

  @Test
  void shouldFailTheBlockAloneWhenAMemoryIsBroken() throws Exception {
    final Grant grant = grant(List.of(1, 2));
    for (DistantBlocks broken : List.of(sources, targets)) {
      broken.isBroken = true;
      assertEquals(TransferStatus.FAILED, write(grant, new BlockMove(0, 1)).status());
      assertUnchanged();
      broken.isBroken = false;
    }
    assertEquals(TransferStatus.OK, write(grant, new BlockMove(0, 1)).status());
    assertMoved(new BlockMove(0, 1));
    assertEquals(1, sources.moves.get());
  }

  @Test
  void shouldGoThroughBuffersWhenTheMemoriesDoNotReachEachOther() throws Exception {
    sources.reachesOthers = false;
    assertEquals(TransferStatus.OK, write(grant(List.of(1)), new BlockMove(0, 1)).status());
    assertMoved(new BlockMove(0, 1));
    assertEquals(1, sources.reads.getAndSet(0));
    assertEquals(1, targets.commits.getAndSet(0));
  }
}
