package dev.stator.kv.tier;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.kv.BlockHash;
import dev.stator.kv.KvEvent;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The tier against the plainest possible model of it: chains as strings, eviction by search. */
class HostTierModelTest {
  private static final int SEEDS = 60;
  private static final int ACTIONS = 400;

  @Test
  void shouldDoAsTheModelDoes() {
    for (long seed = 0; seed < SEEDS; seed++) {
      try {
        new Run(seed).run();
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
      }
    }
  }

  /** One seeded run. */
  private static final class Run {
    /** A chain's last block. */
    private static final class Entry {
      final int slot;
      boolean isFull;
      boolean isOrphan; // Its parent's copy has failed.
      int holders;
      long usedAt;

      Entry(int slot, long usedAt) {
        this.slot = slot;
        this.usedAt = usedAt;
      }
    }

    private final Map<String, Entry> entries = new HashMap<>();
    private final Set<BlockHash> told = new HashSet<>(); // By the events.
    private final Deque<String> storing = new ArrayDeque<>();
    private final List<String> held = new ArrayList<>();
    private final Random random;
    private final HostTier tier;
    private final int slotCount;
    private long clock;

    Run(long seed) {
      random = new Random(seed);
      slotCount = 1 + random.nextInt(14);
      tier = new HostTier(slotCount);
    }

    void run() {
      for (int i = 0; i < ACTIONS; i++) {
        switch (random.nextInt(8)) {
          case 0, 1, 2 -> beginStore();
          case 3, 4 -> endStore();
          case 5 -> hold();
          case 6 -> letGo();
          default -> use();
        }
        check();
      }
    }

    private void beginStore() {
      final String parent = random.nextInt(3) == 0 ? "" : any(entries.keySet()).orElse("");
      final String chain = parent + (char) ('a' + random.nextInt(3));
      if (entries.containsKey(chain)) return;
      final boolean hasRoom = entries.size() < slotCount || evict(parent);
      final int slot = tier.beginStore(parent.isEmpty() ? null : name(parent), name(chain));
      assertEquals(hasRoom, slot != HostTier.NONE);
      if (!hasRoom) return;
      assertTrue(entries.values().stream().noneMatch(entry -> entry.slot == slot), "a slot twice");
      entries.put(chain, new Entry(slot, ++clock));
      storing.add(chain);
    }

    /** The leaf that goes, whose use was its parents', too. */
    private boolean evict(String parentOfNew) {
      final Optional<String> victim =
          entries.keySet().stream()
              .filter(chain -> entries.get(chain).isFull && entries.get(chain).holders == 0)
              .filter(chain -> !chain.equals(parentOfNew))
              .filter(chain -> entries.keySet().stream().noneMatch(other -> isHeld(chain, other)))
              .min(Comparator.comparingLong(chain -> entries.get(chain).usedAt));
      victim.ifPresent(chain -> {
        final long usedAt = entries.remove(chain).usedAt;
        final Entry parent = entries.get(chain.substring(0, chain.length() - 1));
        if (parent != null) parent.usedAt = Math.max(parent.usedAt, usedAt);
      });
      return victim.isPresent();
    }

    private boolean isHeld(String chain, String byOther) {
      return isChild(byOther, chain) && !entries.get(byOther).isOrphan;
    }

    private static boolean isChild(String chain, String of) {
      return chain.length() == of.length() + 1 && chain.startsWith(of);
    }

    private void endStore() {
      if (storing.isEmpty()) return;
      final String chain = storing.remove();
      final boolean isWhole = random.nextInt(5) > 0;
      tier.endStore(entries.get(chain).slot, isWhole);
      if (isWhole && !entries.get(chain).isOrphan) {
        entries.get(chain).isFull = true;
      } else {
        entries.remove(chain);
        entries.forEach((other, entry) -> entry.isOrphan |= isChild(other, chain));
      }
    }

    private void hold() {
      any(full())
          .ifPresent(chain -> {
            tier.hold(entries.get(chain).slot);
            entries.get(chain).holders++;
            held.add(chain);
          });
    }

    private void letGo() {
      if (held.isEmpty()) return;
      final String chain = held.remove(random.nextInt(held.size()));
      tier.letGo(entries.get(chain).slot);
      entries.get(chain).holders--;
    }

    private void use() {
      any(entries.keySet())
          .ifPresent(chain -> {
            tier.use(name(chain));
            entries.get(chain).usedAt = ++clock;
          });
    }

    private void check() {
      for (KvEvent event : tier.drainEvents()) {
        switch (event) {
          case KvEvent.Stored(BlockHash parent, List<BlockHash> blocks) -> {
            assertTrue(parent == null || told.contains(parent), "stored without its parent");
            blocks.forEach(block -> assertTrue(told.add(block), "stored twice"));
          }
          case KvEvent.Removed(List<BlockHash> blocks) ->
              blocks.forEach(block -> assertTrue(told.remove(block), "removed but not there"));
        }
      }
      final Set<String> full = full();
      assertEquals(full.size(), told.size());
      assertEquals(full.size(), tier.fullCount());
      assertEquals(storing.size(), tier.storingCount());
      for (String chain : full) {
        assertEquals(entries.get(chain).slot, tier.find(name(chain)), chain);
        assertTrue(told.contains(name(chain)));
      }
    }

    private Set<String> full() {
      final Set<String> full = new HashSet<>(entries.keySet());
      full.removeIf(chain -> !entries.get(chain).isFull);
      return full;
    }

    private Optional<String> any(Set<String> chains) {
      if (chains.isEmpty()) return Optional.empty();
      return chains.stream().sorted().skip(random.nextInt(chains.size())).findFirst();
    }

    private static BlockHash name(String chain) {
      return new BlockHash(chain.hashCode(), chain.length());
    }
  }
}
