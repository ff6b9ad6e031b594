package dev.stator.kv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.kv.BlockPool.State;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The edges of the pool's state machine, one by one. */
class BlockPoolTest {
  private static final BlockHash A = new BlockHash(1, 1);
  private static final BlockHash B = new BlockHash(1, 2);
  private static final BlockHash C = new BlockHash(1, 3);

  private final BlockPool pool = new BlockPool(3);

  @Test
  void shouldGoFromFreeToReservedAndBack() {
    final int block = pool.reserve();
    assertEquals(State.RESERVED, pool.state(block));
    assertEquals(2, pool.freeCount());
    assertEquals(1, pool.usedCount());
    pool.release(block);
    assertEquals(State.FREE, pool.state(block));
    assertEquals(3, pool.freeCount());
  }

  @Test
  void shouldGoFromFillingToFreeWhenItWasNeverFull() {
    final int block = pool.reserve();
    pool.fill(block);
    assertEquals(State.FILLING, pool.state(block));
    pool.release(block);
    assertEquals(State.FREE, pool.state(block));
    assertFalse(pool.hasEvents());
  }

  @Test
  void shouldBeFoundWhenPublished() {
    assertEquals(BlockPool.NONE, pool.find(A));
    final int block = full(BlockPool.NONE, A);
    assertEquals(State.FULL, pool.state(block));
    assertEquals(block, pool.find(A));
    assertEquals(List.of(new KvEvent.Stored(null, List.of(A))), pool.drainEvents());
    assertFalse(pool.hasEvents());
  }

  @Test
  void shouldGoFromFullToCachedWhenTheLastUserLeaves() {
    final int block = full(BlockPool.NONE, A);
    pool.acquire(block);
    pool.release(block);
    assertEquals(State.FULL, pool.state(block));
    pool.release(block);
    assertEquals(State.CACHED, pool.state(block));
    assertTrue(pool.isCached(block));
    assertEquals(1, pool.cachedCount());
    assertEquals(3, pool.availableCount());
  }

  @Test
  void shouldGoFromCachedToFullWhenAcquired() {
    final int block = full(BlockPool.NONE, A);
    pool.release(block);
    pool.acquire(block);
    assertEquals(State.FULL, pool.state(block));
    assertEquals(0, pool.cachedCount());
  }

  @Test
  void shouldUseTheBlockThatIsThereWhenTheContentIsPublishedTwice() {
    final int first = full(BlockPool.NONE, A);
    final int second = pool.reserve();
    pool.fill(second);
    assertEquals(first, pool.publish(second, BlockPool.NONE, A));
    assertEquals(State.FREE, pool.state(second));
    assertEquals(2, pool.userCount(first));
    assertEquals(1, pool.drainEvents().size());
  }

  @Test
  void shouldUseTheCachedBlockWhenTheContentIsPublishedAgain() {
    final int first = full(BlockPool.NONE, A);
    pool.release(first);
    assertEquals(first, full(BlockPool.NONE, A));
    assertEquals(1, pool.userCount(first));
    assertEquals(0, pool.cachedCount());
  }

  @Test
  void shouldEvictTheLeastRecentlyUsedWhenNothingIsFree() {
    final int a = full(BlockPool.NONE, A);
    final int b = full(BlockPool.NONE, B);
    final int c = full(BlockPool.NONE, C);
    pool.release(b);
    pool.release(a);
    pool.release(c);
    pool.acquire(b);
    pool.release(b);
    pool.drainEvents();
    assertEquals(a, pool.reserve());
    assertEquals(c, pool.reserve());
    assertEquals(List.of(new KvEvent.Removed(List.of(A, C))), pool.drainEvents());
    assertEquals(b, pool.find(B));
    assertEquals(BlockPool.NONE, pool.find(A));
  }

  @Test
  void shouldEvictChildrenBeforeTheirParent() {
    final BlockTable table = new BlockTable();
    table.append(full(BlockPool.NONE, A));
    table.append(full(table.block(0), B));
    table.append(full(table.block(1), C));
    table.releaseAll(pool);
    assertEquals(0, table.count());
    pool.drainEvents();
    for (int i = 0; i < 3; i++) pool.reserve();
    assertEquals(List.of(new KvEvent.Removed(List.of(C, B, A))), pool.drainEvents());
  }

  @Test
  void shouldEvictTheStaleBranchWhenTheParentIsUsed() {
    final int a = full(BlockPool.NONE, A);
    final int b = full(a, B);
    pool.acquire(a); // A second sequence, which goes on with C.
    final int c = full(a, C);
    pool.release(b);
    pool.release(a);
    assertEquals(b, pool.reserve());
    assertEquals(a, pool.find(A));
    assertEquals(c, pool.find(C));
    assertEquals(1, pool.childCount(a));
  }

  @Test
  void shouldJoinAChainIntoOneEventAndSplitAtABranch() {
    final int a = full(BlockPool.NONE, A);
    full(a, B);
    full(a, C);
    assertEquals(
        List.of(new KvEvent.Stored(null, List.of(A, B)), new KvEvent.Stored(A, List.of(C))),
        pool.drainEvents());
  }

  @Test
  void shouldRefuseToReserveWhenAllAreUsed() {
    for (int i = 0; i < 3; i++) pool.reserve();
    assertEquals(0, pool.availableCount());
    assertThrows(IllegalStateException.class, pool::reserve);
  }

  @Test
  void shouldRefuseWhenAStepIsSkipped() {
    final int block = pool.reserve();
    assertThrows(IllegalStateException.class, () -> pool.publish(block, BlockPool.NONE, A));
    assertThrows(IllegalStateException.class, () -> pool.acquire(block));
    pool.fill(block);
    assertThrows(IllegalStateException.class, () -> pool.fill(block));
    pool.release(block);
    assertThrows(IllegalStateException.class, () -> pool.release(block));
    assertThrows(IllegalStateException.class, () -> pool.fill(block));
  }

  @Test
  void shouldRefuseWhenAParentIsReleasedBeforeItsChild() {
    final int a = full(BlockPool.NONE, A);
    final int b = full(a, B);
    pool.release(a);
    pool.release(b);
    pool.reserve();
    assertThrows(IllegalStateException.class, pool::reserve);
  }

  @Test
  void shouldRefuseWhenTheParentIsNotFull() {
    final int parent = pool.reserve();
    final int block = pool.reserve();
    assertNotEquals(parent, block);
    pool.fill(block);
    assertThrows(IllegalStateException.class, () -> pool.publish(block, parent, A));
  }

  private int full(int parent, BlockHash hash) {
    final int block = pool.reserve();
    pool.fill(block);
    return pool.publish(block, parent, hash);
  }
}
