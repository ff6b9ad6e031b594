package dev.stator.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Blocks whose user is gone; copies run when the test says so. */
class WithdrawTest {
  private static final TransferSettings SETTINGS =
      new TransferSettings(9, 9, 9, 9, Duration.ofSeconds(2), Duration.ofMillis(10), 1);
  private static final int BLOCK_BYTES = 64;

  private final Arena arena = Arena.ofShared();
  private final Queue<Runnable> copies = new ArrayDeque<>();
  private final TransferAgent agent =
      new TransferAgent(
          "agent", SETTINGS, new InProcessBackend(copies::add), () -> 0, new Random(1));
  private final MemorySegment memory = arena.allocate(16 * BLOCK_BYTES);
  private final int sourceId = agent.register(hooked());
  private final int targetId = agent.register(hooked());
  private final List<GrantOutcome.Ending> grants = new ArrayList<>();
  private final List<GrantOutcome.Ending> exports = new ArrayList<>();
  private final List<TransferStatus> writes = new ArrayList<>();
  private Runnable onCopy = () -> {};

  private BlockMemory hooked() {
    final DirectBlocks all = BlockMemory.of(memory, BLOCK_BYTES);
    return new DirectBlocks() {
      @Override
      public int blockCount() {
        return all.blockCount();
      }

      @Override
      public BlockGeometry geometry() {
        return all.geometry();
      }

      @Override
      public MemorySegment block(int blockIndex) {
        onCopy.run();
        return all.block(blockIndex);
      }
    };
  }

  @AfterEach
  void stop() {
    agent.close();
    arena.close();
  }

  @Test
  void shouldEndTheGrantsOfTheseBlocksAlone() {
    grant(1, 2);
    grant(3);
    assertEquals(0, agent.withdraw(targetId, Set.of(2, 9)));
    assertEquals(List.of(GrantOutcome.Ending.REVOKED), grants);
    assertEquals(0, agent.withdraw(sourceId, Set.of(3))); // Another memory's block.
    assertEquals(1, agent.stats().openGrants());
    assertEquals(0, agent.withdraw(99, Set.of(3)));
  }

  @Test
  void shouldEndTheWritesOfTheseBlocksAlone() {
    final Grant grant = grant(1, 2, 3);
    write(grant, new BlockMove(8, 1), new BlockMove(9, 2));
    write(grant, new BlockMove(10, 3));
    assertEquals(0, agent.withdraw(sourceId, Set.of(9)));
    assertEquals(List.of(TransferStatus.CANCELLED), writes);
    while (!copies.isEmpty()) copies.remove().run();
    assertEquals(List.of(TransferStatus.CANCELLED, TransferStatus.OK), writes);
  }

  @Test
  void shouldCountWhatIsBeingCopiedUntilItIsOver() {
    write(grant(1, 2), new BlockMove(8, 1));
    final List<Integer> left = new ArrayList<>();
    final AtomicInteger opened = new AtomicInteger();
    onCopy =
        () -> {
          if (opened.incrementAndGet() != 2) return; // The source; then the target, both in use.
          left.add(agent.withdraw(sourceId, Set.of(8)));
          left.add(agent.withdraw(targetId, Set.of(1)));
          assertTrue(writes.isEmpty());
        };
    copies.remove().run();
    assertEquals(List.of(1, 1), left);
    assertEquals(0, agent.withdraw(sourceId, Set.of(8)) + agent.withdraw(targetId, Set.of(1)));
    assertEquals(List.of(GrantOutcome.Ending.REVOKED), grants);
  }

  @Test
  void shouldEndTheExportsOfTheseBlocksAlone() {
    export(8, 9);
    export(10);
    assertEquals(0, agent.withdraw(sourceId, Set.of(9, 11)));
    assertEquals(List.of(GrantOutcome.Ending.REVOKED), exports);
    assertEquals(1, agent.stats().openExports());
  }

  @Test
  void shouldReadNothingOfBlocksWhoseExportWasWithdrawn() {
    final Export export = export(8);
    final List<TransferStatus> reads = new ArrayList<>();
    read(export, reads);
    assertEquals(0, agent.withdraw(sourceId, Set.of(8)));
    while (!copies.isEmpty()) copies.remove().run();
    assertEquals(List.of(TransferStatus.UNKNOWN_GRANT), reads);
    assertEquals(0, agent.stats().receivedBytes());
  }

  @Test
  void shouldCountAnExportThatIsBeingReadUntilThatIsOver() {
    final List<TransferStatus> reads = new ArrayList<>();
    read(export(8), reads);
    copies.remove().run(); // The request, which posts the write.
    final List<Integer> left = new ArrayList<>();
    final AtomicInteger opened = new AtomicInteger();
    onCopy =
        () -> {
          if (opened.incrementAndGet() == 2) left.add(agent.withdraw(sourceId, Set.of(8)));
        };
    while (!copies.isEmpty()) copies.remove().run();
    assertEquals(List.of(2), left, "the write, and its export");
    assertEquals(0, agent.withdraw(sourceId, Set.of(8)));
    assertEquals(List.of(GrantOutcome.Ending.REVOKED), exports);
    assertEquals(1, reads.size());
  }

  private Export export(Integer... blocks) {
    return agent
        .export(
            sourceId,
            List.of(blocks),
            Duration.ofSeconds(1),
            outcome -> exports.add(outcome.ending()))
        .orElseThrow();
  }

  private void read(Export export, List<TransferStatus> outcomes) {
    agent.read(
        export, targetId, List.of(new BlockMove(8, 1)), outcome -> outcomes.add(outcome.status()));
  }

  private Grant grant(Integer... blocks) {
    return agent
        .grant(
            targetId,
            List.of(blocks),
            Duration.ofSeconds(1),
            outcome -> grants.add(outcome.ending()))
        .orElseThrow();
  }

  private void write(Grant grant, BlockMove... moves) {
    agent.write(grant, sourceId, List.of(moves), outcome -> writes.add(outcome.status()));
  }
}
