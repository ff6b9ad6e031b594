package dev.stator.kv;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The pool against the plainest possible model of it: chains as strings, eviction by search. */
class BlockPoolModelTest {
  private static final int SEEDS = 60;
  private static final int ACTIONS = 300;
  private static final int ALPHABET = 3;

  /** A named content: how many use it, and when the last one left. */
  private static final class Entry {
    int users;
    long leftAt;
  }

  private static final class Model {
    final Map<String, Entry> entries = new HashMap<>();
    long clock;

    int cached() {
      return (int) entries.values().stream().filter(entry -> entry.users == 0).count();
    }

    /** What is evicted next: unused, without children, least recently left. */
    String evict() {
      final String victim =
          entries.entrySet().stream()
              .filter(e -> e.getValue().users == 0)
              .filter(e -> entries.keySet().stream().noneMatch(k -> isChild(k, e.getKey())))
              .min(Comparator.comparingLong(e -> e.getValue().leftAt))
              .orElseThrow()
              .getKey();
      entries.remove(victim);
      return victim;
    }

    private static boolean isChild(String chain, String of) {
      return chain.length() == of.length() + 1 && chain.startsWith(of);
    }
  }

  /** A sequence: its chain so far, each letter a block. */
  private static final class User {
    final BlockTable table = new BlockTable();
    String chain = "";
  }

  @Test
  void shouldDoAsTheModelDoes() {
    for (long seed = 0; seed < SEEDS; seed++) {
      try {
        run(new Random(seed));
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
      }
    }
  }

  private static void run(Random random) {
    final BlockPool pool = new BlockPool(4 + random.nextInt(20));
    final PoolChecks checks = new PoolChecks();
    final Model model = new Model();
    final List<User> users = new ArrayList<>();
    for (int i = 0; i < ACTIONS; i++) {
      switch (random.nextInt(6)) {
        case 0 -> users.add(find(pool, model, random));
        case 1 -> {
          if (!users.isEmpty()) leave(pool, model, users.remove(random.nextInt(users.size())));
        }
        default -> {
          if (!users.isEmpty() && pool.availableCount() > 0) {
            extend(pool, model, users.get(random.nextInt(users.size())), random);
          }
        }
      }
      checks.replay(pool.drainEvents());
      checks.check(pool, users.stream().map(user -> user.table).toList());
      assertEquals(model.entries.size(), pool.namedCount());
      assertEquals(model.cached(), pool.cachedCount());
      for (String chain : model.entries.keySet()) {
        assertEquals(model.entries.get(chain).users, pool.userCount(pool.find(name(chain))), chain);
      }
    }
  }

  /** A new sequence uses as much of a random chain as is there. */
  private static User find(BlockPool pool, Model model, Random random) {
    final User user = new User();
    while (true) {
      final String longer = user.chain + letter(random);
      final int block = pool.find(name(longer));
      assertEquals(model.entries.containsKey(longer), block != BlockPool.NONE);
      if (block == BlockPool.NONE) return user;
      pool.acquire(block);
      model.entries.get(longer).users++;
      user.table.append(block);
      user.chain = longer;
    }
  }

  /** A sequence computes one more block, even if another has it already. */
  private static void extend(BlockPool pool, Model model, User user, Random random) {
    final boolean evicts = pool.freeCount() == 0;
    final int block = pool.reserve();
    if (evicts) assertEquals(BlockPool.NONE, pool.find(name(model.evict())));
    final int last = user.table.count() - 1;
    final int parent = last < 0 ? BlockPool.NONE : user.table.block(last);
    user.chain += letter(random);
    pool.fill(block);
    user.table.append(pool.publish(block, parent, name(user.chain)));
    model.entries.computeIfAbsent(user.chain, chain -> new Entry()).users++;
  }

  private static void leave(BlockPool pool, Model model, User user) {
    user.table.releaseAll(pool);
    for (int length = user.chain.length(); length > 0; length--) {
      final Entry entry = model.entries.get(user.chain.substring(0, length));
      entry.users--;
      if (entry.users == 0) entry.leftAt = model.clock++;
    }
  }

  private static char letter(Random random) {
    return (char) ('a' + random.nextInt(ALPHABET));
  }

  /** Few low bits, so that the index has to probe. */
  private static BlockHash name(String chain) {
    final long value = chain.chars().asLongStream().reduce(1, (sum, letter) -> sum * 31 + letter);
    return new BlockHash(value, value & 7);
  }
}
