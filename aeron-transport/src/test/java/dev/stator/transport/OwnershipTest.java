package dev.stator.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Nobody hears that a block is theirs again while it is being read or written. */
class OwnershipTest {
  private static final int BLOCK_BYTES = 64;

  private final Arena arena = Arena.ofShared();
  private final InProcessBackend backend = new InProcessBackend(Runnable::run);
  private final TransferAgent agent =
      new TransferAgent(
          "agent", TransferBackendContract.SETTINGS, backend, System::nanoTime, new Random(1));
  private final MemorySegment memory = arena.allocate(8 * BLOCK_BYTES);
  private final int plainId = agent.register(memory, BLOCK_BYTES);
  private final List<Object> told = new ArrayList<>();

  /** Memory that does something just before one of its blocks is copied. */
  private BlockMemory hooked(IntConsumer hook) {
    final DirectBlocks plain = BlockMemory.of(memory, BLOCK_BYTES);
    return new DirectBlocks() {
      @Override
      public int blockCount() {
        return plain.blockCount();
      }

      @Override
      public BlockGeometry geometry() {
        return plain.geometry();
      }

      @Override
      public MemorySegment block(int blockIndex) {
        hook.accept(blockIndex);
        return plain.block(blockIndex);
      }
    };
  }

  @AfterEach
  void stop() {
    agent.close();
    arena.close();
  }

  @Test
  void shouldTellARevokedGrantsEndBehindTheLastCopy() {
    final int hookedId =
        agent.register(
            hooked(block -> {
              agent.revoke(0);
              assertTrue(told.isEmpty(), "told while a block is being written");
            }));
    final Grant grant =
        agent.grant(hookedId, List.of(1, 2), Duration.ofHours(1), told::add).orElseThrow();
    agent.write(grant, plainId, List.of(new BlockMove(0, 1)), outcome -> {});
    assertEquals(List.of(new GrantOutcome(grant.id(), GrantOutcome.Ending.REVOKED, 1, 1)), told);
  }

  @Test
  void shouldTellACancelledWritesEndBehindTheLastRead() {
    final int hookedId =
        agent.register(
            hooked(block -> {
              agent.cancel(1);
              assertTrue(told.isEmpty(), "told while a block is being read");
            }));
    final Grant grant =
        agent.grant(plainId, List.of(1), Duration.ofHours(1), outcome -> {}).orElseThrow();
    final List<BlockMove> moves = List.of(new BlockMove(0, 1));
    agent.write(grant, hookedId, moves, told::add);
    assertEquals(List.of(new WriteOutcome(1, TransferStatus.CANCELLED, 0, moves)), told);
  }

  @Test
  void shouldWaitForTheCopyUnderWayWhenMemoryIsDeregistered() throws Exception {
    memory.asSlice(0, BLOCK_BYTES).fill((byte) 7);
    final CountDownLatch copying = new CountDownLatch(1);
    final CountDownLatch goOn = new CountDownLatch(1);
    final int hookedId =
        agent.register(
            hooked(block -> {
              copying.countDown();
              await(goOn);
            }));
    final Grant grant =
        agent.grant(hookedId, List.of(1), Duration.ofHours(1), outcome -> {}).orElseThrow();
    final var write =
        CompletableFuture.runAsync(
            () -> agent.write(grant, plainId, List.of(new BlockMove(0, 1)), outcome -> {}),
            Thread::startVirtualThread);
    await(copying);
    final var deregistered =
        CompletableFuture.runAsync(() -> agent.deregister(hookedId), Thread::startVirtualThread);
    assertThrows(TimeoutException.class, () -> deregistered.get(100, TimeUnit.MILLISECONDS));
    goOn.countDown();
    deregistered.get(10, TimeUnit.SECONDS);
    assertEquals(7, memory.get(ValueLayout.JAVA_BYTE, BLOCK_BYTES), "the copy had ended before");
    write.get(10, TimeUnit.SECONDS);
  }

  @Test
  void shouldEndTheWriteAndLetGoOfTheMemoryWhenItsBlockCannotBeRead() {
    final int brokenId =
        agent.register(
            hooked(block -> {
              throw new IllegalStateException("no such memory");
            }));
    final Grant grant =
        agent.grant(plainId, List.of(1), Duration.ofHours(1), outcome -> {}).orElseThrow();
    final List<BlockMove> moves = List.of(new BlockMove(0, 1));
    assertThrows(IllegalStateException.class, () -> agent.write(grant, brokenId, moves, told::add));
    assertTimeoutPreemptively(Duration.ofSeconds(10), () -> agent.deregister(brokenId));
    assertEquals(List.of(new WriteOutcome(1, TransferStatus.FAILED, 0, moves)), told);
    assertEquals(0, agent.stats().inFlightBlocks());
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(10, TimeUnit.SECONDS));
    } catch (InterruptedException stopped) {
      throw new IllegalStateException(stopped);
    }
  }
}
