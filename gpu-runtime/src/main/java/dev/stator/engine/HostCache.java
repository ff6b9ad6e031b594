package dev.stator.engine;

import dev.stator.device.HostBlocks;
import dev.stator.kv.BlockHash;
import dev.stator.kv.BlockPool;
import dev.stator.kv.KvEvent;
import dev.stator.kv.tier.HostTier;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Blocks between the device's pool and the host's memory.
 *
 * <pre>
 *   store:  full ─▶ copying ─▶ in the host tier          no step waits: nothing is held for a copy, and
 *                      └─ evicted meanwhile ─▶ nothing   what was evicted under it is dropped
 *   load:   starts ─▶ RESERVED, copying ─▶ full, runs    others' steps go on
 *                      ├─ copies fail ─▶ runs, computes them
 *                      └─ ended meanwhile ─▶ full, ENDED, once nobody writes into its blocks
 * </pre>
 *
 * Whatever is stored is stored behind its parents: those that found no room before come first.
 *
 * <p><b>Threads:</b> the engine's; copies say on any that they have ended, and are heard by {@link
 * #settle}.
 */
final class HostCache {
  /** A block on its way to the host. */
  private record Store(HostBlocks.Copy copy, long evictions) {}

  /** A sequence whose copies have ended, well or not. */
  private record Load(Sequence sequence, int count, int slot, boolean isWhole) {}

  private final HostBlocks blocks; // Null without a host tier, as the next.
  private final HostTier tier;
  private final BlockPool pool;
  private final HostTierSettings settings;
  private final Queue<Runnable> endedStores = new ConcurrentLinkedQueue<>();
  private final Queue<Load> endedLoads = new ConcurrentLinkedQueue<>();
  private volatile Runnable onLoaded = () -> {};
  private long storedBlocks;
  private long loadedBlocks;
  private long hits;

  /**
   * @param blocks {@code null} for no tier
   */
  HostCache(HostBlocks blocks, BlockPool pool, HostTierSettings settings) {
    this.blocks = blocks;
    this.tier = blocks == null ? null : new HostTier(blocks.slotCount());
    this.pool = pool;
    this.settings = settings;
  }

  /** Takes whom to tell, on any thread, that {@link #settle} would do something for a sequence. */
  void onLoaded(Runnable listener) {
    onLoaded = listener;
  }

  // To the host.

  /** Begins to copy blocks that a step has filled, as far as there is room. */
  void store(List<KvEvent> events) {
    if (blocks == null) return;
    final List<Store> stores = new ArrayList<>();
    for (KvEvent event : events) {
      if (!(event instanceof KvEvent.Stored(BlockHash _, List<BlockHash> hashes))) continue;
      for (BlockHash hash : hashes) storeChain(pool.find(hash), stores);
    }
    if (stores.isEmpty()) return;
    blocks.store(
        stores.stream().map(Store::copy).toList(),
        failure -> endedStores.add(() -> endStores(stores, failure == null)));
  }

  /** A block behind those before it that are not there yet. */
  private void storeChain(int last, List<Store> stores) {
    if (last == BlockPool.NONE || !mayStore()) return;
    final Deque<Integer> missing = new ArrayDeque<>();
    for (int block = last; block != BlockPool.NONE; block = pool.parent(block)) {
      if (tier.knows(pool.hash(block))) break;
      missing.push(block);
    }
    for (int block : missing) {
      final int parent = pool.parent(block);
      final BlockHash before = parent == BlockPool.NONE ? null : pool.hash(parent);
      final int slot = mayStore() ? tier.beginStore(before, pool.hash(block)) : HostTier.NONE;
      if (slot == HostTier.NONE) return;
      stores.add(new Store(new HostBlocks.Copy(block, slot), pool.evictions(block)));
    }
  }

  private boolean mayStore() {
    return tier.storingCount() < settings.storeBlocksMax();
  }

  private void endStores(List<Store> stores, boolean areCopied) {
    for (Store store : stores) {
      final boolean isWhole = areCopied && pool.evictions(store.copy.block()) == store.evictions;
      tier.endStore(store.copy.slot(), isWhole);
      if (isWhole) storedBlocks++;
    }
  }

  // From the host.

  /** How many of a sequence's blocks, from the first that it did not find, are to be loaded. */
  int loadable(Sequence sequence, int foundBlocks) {
    if (blocks == null) return 0;
    int end = foundBlocks;
    while (end < sequence.prefillBlocks() && tier.find(sequence.hash(end)) != HostTier.NONE) end++;
    return end - foundBlocks < settings.loadBlocksMin() ? 0 : end - foundBlocks;
  }

  /** A sequence has found its first blocks on the device: they are not to go from here, either. */
  void use(Sequence sequence, int foundBlocks) {
    if (blocks != null && foundBlocks > 0) tier.use(sequence.hash(foundBlocks - 1));
  }

  /** Begins to copy the next {@link Sequence#loadingBlocks} of a sequence that holds its blocks. */
  void load(Sequence sequence) {
    final int first = sequence.publishedBlocks;
    final int count = sequence.loadingBlocks;
    final List<HostBlocks.Copy> copies = new ArrayList<>(count);
    for (int i = first; i < first + count; i++) {
      copies.add(new HostBlocks.Copy(sequence.table().block(i), tier.find(sequence.hash(i))));
    }
    hits++;
    final int last = copies.getLast().slot();
    tier.hold(last);
    use(sequence, first + count);
    blocks.load(
        copies,
        failure -> {
          endedLoads.add(new Load(sequence, count, last, failure == null));
          onLoaded.run();
        });
  }

  /** Whether copies that a sequence waits for have ended. */
  boolean hasLoaded() {
    return !endedLoads.isEmpty();
  }

  /** Hears of copies that have ended; gives the sequences that have waited for some to others. */
  void settle(Scheduler scheduler) {
    for (Runnable end = endedStores.poll(); end != null; end = endedStores.poll()) end.run();
    for (Load load = endedLoads.poll(); load != null; load = endedLoads.poll()) {
      tier.letGo(load.slot);
      if (load.isWhole) loadedBlocks += load.count;
      else forget(load.sequence, load.count);
      scheduler.loaded(load.sequence, load.isWhole);
    }
  }

  /** What could not be read once is not tried again. */
  private void forget(Sequence sequence, int count) {
    final int first = sequence.publishedBlocks;
    for (int i = first + count - 1; i >= first; i--) tier.forget(sequence.hash(i));
  }

  /** What happened to full blocks there since the last call. */
  List<KvEvent> drainEvents() {
    return blocks == null ? List.of() : tier.drainEvents();
  }

  HostTierLoad figures() {
    if (blocks == null) return HostTierLoad.NONE;
    return new HostTierLoad(tier.fullCount(), tier.slotCount(), storedBlocks, loadedBlocks, hits);
  }
}
