package dev.stator.kv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What always holds of a pool, its tables, and a reader of its events. */
public final class PoolChecks {
  private final Map<BlockHash, BlockHash> parentByHash = new HashMap<>();

  /** Replays events into an index, each of which must make sense there. */
  public void replay(List<KvEvent> events) {
    for (KvEvent event : events) {
      switch (event) {
        case KvEvent.Stored(BlockHash parent, List<BlockHash> blocks) -> {
          BlockHash before = parent;
          for (BlockHash hash : blocks) {
            assertTrue(before == null || parentByHash.containsKey(before), "parent is there");
            assertTrue(!parentByHash.containsKey(hash), "stored twice");
            parentByHash.put(hash, before);
            before = hash;
          }
        }
        case KvEvent.Removed(List<BlockHash> blocks) -> {
          for (BlockHash hash : blocks) {
            assertTrue(parentByHash.containsKey(hash), "removed but not there");
            assertTrue(!parentByHash.containsValue(hash), "removed with a child");
            parentByHash.remove(hash);
          }
        }
      }
    }
  }

  /** The pool's books against each other, against the tables, and against the replayed events. */
  public void check(BlockPool pool, Collection<BlockTable> tables) {
    final int[] uses = new int[pool.blockCount()];
    for (BlockTable table : tables) {
      final Set<Integer> own = new HashSet<>();
      for (int i = 0; i < table.count(); i++) {
        uses[table.block(i)]++;
        assertTrue(own.add(table.block(i)), "a block twice in a table");
      }
    }
    final int[] children = new int[pool.blockCount()];
    final Set<BlockHash> named = new HashSet<>();
    int free = 0;
    int cached = 0;
    for (int block = 0; block < pool.blockCount(); block++) {
      assertEquals(uses[block], pool.userCount(block), "users of block " + block);
      switch (pool.state(block)) {
        case FREE -> free++;
        case RESERVED, FILLING -> assertEquals(1, uses[block]);
        case FULL -> assertTrue(uses[block] > 0);
        case CACHED -> cached++;
      }
      if (pool.state(block) == BlockPool.State.FREE
          || pool.state(block) == BlockPool.State.CACHED) {
        assertEquals(0, uses[block]);
      }
      checkName(pool, block, children, named);
    }
    for (int block = 0; block < pool.blockCount(); block++) {
      assertEquals(children[block], pool.childCount(block), "children of block " + block);
    }
    assertEquals(free, pool.freeCount());
    assertEquals(cached, pool.cachedCount());
    assertEquals(pool.blockCount(), free + cached + pool.usedCount());
    assertEquals(named.size(), pool.namedCount());
    if (!pool.hasEvents()) assertEquals(named, parentByHash.keySet(), "what the events tell");
  }

  private void checkName(BlockPool pool, int block, int[] children, Set<BlockHash> named) {
    final BlockHash hash = pool.hash(block);
    final int parent = pool.parent(block);
    final boolean isNamed =
        pool.state(block) == BlockPool.State.FULL || pool.state(block) == BlockPool.State.CACHED;
    if (!isNamed) {
      assertNull(hash);
      return;
    }
    assertNotNull(hash);
    assertTrue(named.add(hash), "a name twice");
    assertEquals(block, pool.find(hash));
    if (parent == BlockPool.NONE) return;
    assertNotNull(pool.hash(parent), "the parent is named");
    assertTrue(
        pool.userCount(parent) >= pool.userCount(block)
            || pool.userCount(parent) > 0
            || pool.userCount(block) == 0,
        "a used block's parent is used");
    children[parent]++;
    if (!pool.hasEvents()) assertEquals(parentByHash.get(hash), pool.hash(parent));
  }
}
