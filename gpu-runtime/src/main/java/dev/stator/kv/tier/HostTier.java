package dev.stator.kv.tier;

import dev.stator.kv.BlockHash;
import dev.stator.kv.EventLog;
import dev.stator.kv.KvEvent;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Tier G2: which block lies in which slot of the host's memory, and who is being copied.
 *
 * <pre>
 *         beginStore             endStore, whole
 *   FREE ────────────▶ STORING ──────────────────▶ FULL ◀── hold ── letGo ──▶ FULL, held
 *    ▲                    │                          │
 *    │◀── endStore, not ──┘                          │
 *    └───────── evict, when beginStore finds nothing free and nobody holds it
 * </pre>
 *
 * <ul>
 *   <li>FULL blocks have a name and are found by it. Each one's parent is here too, so whatever is
 *       found from a sequence's start on has no holes.
 *   <li><b>Leaf first, least recently used.</b> A block without children, stored or being stored,
 *       is a leaf; a use of a block counts as one of its parents, because a parent inherits its
 *       last child's when that is evicted. The leaf least recently used goes first: O(log n).
 *   <li>Blocks that are being copied, in either direction, stay.
 * </ul>
 *
 * <p><b>Threads:</b> one.
 */
public final class HostTier {
  /** No slot. */
  public static final int NONE = -1;

  private static final int PARENT_GONE = -2;

  private enum State {
    FREE,
    STORING,
    FULL
  }

  private final State[] states;
  private final BlockHash[] hashes;
  private final int[] parents; // Slots.
  private final int[] childCounts; // FULL and STORING ones.
  private final int[] holders;
  private final long[] lastUses; // By the clock below; no two are equal.
  private final Map<BlockHash, Integer> slots = new HashMap<>(); // Of FULL and STORING ones.
  private final TreeMap<Long, Integer> leaves = new TreeMap<>(); // FULL, unheld, by last use.
  private final EventLog events = new EventLog();
  private final int[] freeStack;
  private int freeCount;
  private int storingCount;
  private long clock;

  public HostTier(int slotCount) {
    if (slotCount <= 0) throw new IllegalArgumentException("slot count must be positive");
    states = new State[slotCount];
    Arrays.fill(states, State.FREE);
    hashes = new BlockHash[slotCount];
    parents = new int[slotCount];
    childCounts = new int[slotCount];
    holders = new int[slotCount];
    lastUses = new long[slotCount];
    freeStack = new int[slotCount];
    for (int i = 0; i < slotCount; i++) freeStack[i] = slotCount - 1 - i;
    freeCount = slotCount;
  }

  public int slotCount() {
    return states.length;
  }

  /** Blocks that can be found. */
  public int fullCount() {
    return states.length - freeCount - storingCount;
  }

  /** Blocks that are being copied here. */
  public int storingCount() {
    return storingCount;
  }

  /** Whether a block is here, or on its way. */
  public boolean knows(BlockHash hash) {
    return slots.containsKey(hash);
  }

  /** Where a block lies; {@link #NONE} when it is not here, or not yet. */
  public int find(BlockHash hash) {
    final Integer slot = slots.get(hash);
    return slot != null && states[slot] == State.FULL ? slot : NONE;
  }

  /**
   * Takes a slot for a block that is not known; the least recently used leaf makes room. Its bytes
   * are to be copied there, and {@link #endStore} says what came of it, for parents before their
   * children.
   *
   * @param parent the block before it, known; {@code null} at the start of a sequence
   * @return {@link #NONE} when there is no room
   */
  public int beginStore(BlockHash parent, BlockHash hash) {
    if (slots.containsKey(hash)) throw new IllegalStateException(hash + " is known");
    final Integer parentSlot = parent == null ? Integer.valueOf(NONE) : slots.get(parent);
    if (parentSlot == null) throw new IllegalStateException("the parent of " + hash + " is not");
    addChild(parentSlot);
    if (freeCount == 0 && !evict()) {
      removeChild(parentSlot);
      return NONE;
    }
    final int slot = freeStack[--freeCount];
    states[slot] = State.STORING;
    storingCount++;
    hashes[slot] = hash;
    parents[slot] = parentSlot;
    lastUses[slot] = ++clock;
    slots.put(hash, slot);
    return slot;
  }

  /**
   * The copy to a slot has ended.
   *
   * @param isWhole whether its bytes are the block's; else it is forgotten. A child of a forgotten
   *     block is forgotten, too
   */
  public void endStore(int slot, boolean isWhole) {
    require(slot, State.STORING);
    storingCount--;
    final int parent = parents[slot];
    if (!isWhole || parent == PARENT_GONE) {
      disown(slot);
      free(slot);
      return;
    }
    if (parent != NONE) require(parent, State.FULL);
    states[slot] = State.FULL;
    events.stored(parent == NONE ? null : hashes[parent], hashes[slot]);
    linkIfLeaf(slot);
  }

  /** Its children are being stored, too: none is full before its parent is. */
  private void disown(int slot) {
    for (int child = 0; childCounts[slot] > 0 && child < states.length; child++) {
      if (states[child] != State.STORING || parents[child] != slot || child == slot) continue;
      parents[child] = PARENT_GONE;
      childCounts[slot]--;
    }
  }

  /**
   * Keeps a full block, and with it all before it, where they are until {@link #letGo}: their bytes
   * are being read.
   */
  public void hold(int slot) {
    require(slot, State.FULL);
    unlink(slot);
    holders[slot]++;
  }

  public void letGo(int slot) {
    if (holders[slot] <= 0) throw new IllegalStateException("nobody holds slot " + slot);
    holders[slot]--;
    linkIfLeaf(slot);
  }

  /** Somebody uses a block, here or in a faster tier; unknown ones are ignored. */
  public void use(BlockHash hash) {
    final Integer slot = slots.get(hash);
    if (slot == null) return;
    unlink(slot);
    lastUses[slot] = ++clock;
    linkIfLeaf(slot);
  }

  /** Forgets a full block, unless somebody holds it, or is behind it. */
  public void forget(BlockHash hash) {
    final int slot = find(hash);
    if (slot == NONE || childCounts[slot] > 0 || holders[slot] > 0) return;
    unlink(slot);
    remove(slot);
  }

  /** What happened to full blocks since the last call, in order. */
  public List<KvEvent> drainEvents() {
    return events.drain();
  }

  private boolean evict() {
    final Map.Entry<Long, Integer> leaf = leaves.pollFirstEntry();
    if (leaf == null) return false;
    remove(leaf.getValue());
    return true;
  }

  private void remove(int slot) {
    events.removed(hashes[slot]);
    final int parent = parents[slot];
    if (parent != NONE) lastUses[parent] = Math.max(lastUses[parent], lastUses[slot]);
    free(slot);
  }

  private void free(int slot) {
    slots.remove(hashes[slot]);
    hashes[slot] = null;
    states[slot] = State.FREE;
    freeStack[freeCount++] = slot;
    removeChild(parents[slot]);
  }

  private void addChild(int parent) {
    if (parent == NONE) return;
    unlink(parent);
    childCounts[parent]++;
  }

  private void removeChild(int parent) {
    if (parent == NONE || parent == PARENT_GONE) return;
    childCounts[parent]--;
    linkIfLeaf(parent);
  }

  private void linkIfLeaf(int slot) {
    if (states[slot] == State.FULL && childCounts[slot] == 0 && holders[slot] == 0) {
      leaves.put(lastUses[slot], slot);
    }
  }

  private void unlink(int slot) {
    leaves.remove(lastUses[slot], slot);
  }

  private void require(int slot, State state) {
    if (states[slot] != state) {
      throw new IllegalStateException("slot " + slot + " is " + states[slot] + ", not " + state);
    }
  }
}
