package dev.stator.kv;

import java.util.Arrays;
import java.util.List;

/**
 * All KV blocks of a device: who holds them, and which can be found by their content.
 *
 * <pre>
 *            reserve               fill                 publish                 release, last user
 *   FREE ─────────────▶ RESERVED ───────▶ FILLING ──────────────────▶ FULL ──────────────────────▶ CACHED
 *    ▲                      │                │                         ▲                            │  │
 *    │◀─── release ─────────┴──── release ───┘                         └────────── acquire ─────────┘  │
 *    └──────────────────────────────── evict, when reserve finds nothing free ◀──────────────────────┘
 * </pre>
 *
 * <ul>
 *   <li>RESERVED and FILLING blocks have one user and no name. FULL blocks have a name and one or
 *       more users, CACHED blocks a name and none.
 *   <li>A name is held by one block: {@link #publish} of a content that is already here gives the
 *       block back and uses the one that is here.
 *   <li><b>Leaf first.</b> Named blocks form a tree by their parents. Whoever uses a block uses its
 *       parents and releases them after it ({@link BlockTable#releaseAll}), so in the list of
 *       cached blocks, ordered by release, a parent stands behind all its children: its head is the
 *       least recently used block and always a leaf. Eviction is O(1) and never cuts a chain.
 * </ul>
 *
 * <p><b>Threads:</b> one. Nothing is allocated but events.
 */
public final class BlockPool {
  /** No block. */
  public static final int NONE = -1;

  enum State {
    FREE,
    RESERVED,
    FILLING,
    FULL,
    CACHED
  }

  private final int blockCount;
  private final State[] states;
  private final int[] userCounts;
  private final int[] parents; // Of named blocks: the parent block, or NONE.
  private final int[] childCounts; // Of named blocks: named blocks whose parent this is.
  private final BlockHash[] hashes; // Of named blocks.
  private final long[] evictions;
  private final HashIndex index;
  private final EventLog events = new EventLog();

  private final int[] freeStack;
  private int freeCount;

  // Cached blocks as a ring through a sentinel at index blockCount; its next is the eviction's
  // next.
  private final int[] next;
  private final int[] previous;
  private int cachedCount;

  public BlockPool(int blockCount) {
    if (blockCount <= 0) throw new IllegalArgumentException("block count must be positive");
    this.blockCount = blockCount;
    this.states = new State[blockCount];
    Arrays.fill(states, State.FREE);
    this.userCounts = new int[blockCount];
    this.parents = new int[blockCount];
    Arrays.fill(parents, NONE);
    this.childCounts = new int[blockCount];
    this.hashes = new BlockHash[blockCount];
    this.evictions = new long[blockCount];
    this.index = new HashIndex(blockCount);
    this.freeStack = new int[blockCount];
    for (int i = 0; i < blockCount; i++) freeStack[i] = blockCount - 1 - i;
    this.freeCount = blockCount;
    this.next = new int[blockCount + 1];
    this.previous = new int[blockCount + 1];
    next[blockCount] = blockCount;
    previous[blockCount] = blockCount;
  }

  public int blockCount() {
    return blockCount;
  }

  /** Blocks without content. */
  public int freeCount() {
    return freeCount;
  }

  /** Named blocks without a user. */
  public int cachedCount() {
    return cachedCount;
  }

  /** Blocks with a user. */
  public int usedCount() {
    return blockCount - freeCount - cachedCount;
  }

  /** How many times {@link #reserve} can be called: free and cached blocks. */
  public int availableCount() {
    return freeCount + cachedCount;
  }

  /**
   * Takes a block for one user: a free one, else the least recently used cached one, which loses
   * its name.
   *
   * @throws IllegalStateException when none is available
   */
  public int reserve() {
    if (freeCount == 0) evict();
    final int block = freeStack[--freeCount];
    move(block, State.FREE, State.RESERVED);
    userCounts[block] = 1;
    return block;
  }

  /** Marks that a reserved block is being written. */
  public void fill(int block) {
    move(block, State.RESERVED, State.FILLING);
  }

  /**
   * Names a filled block, so that others find it.
   *
   * @param parent the block before it, full and used by the caller; {@link #NONE} at the start
   * @return the block that holds this content and that the caller now uses: {@code block}, or the
   *     one that had the name already; then {@code block} is free
   */
  public int publish(int block, int parent, BlockHash hash) {
    final int twin = index.get(hash);
    if (twin != HashIndex.ABSENT) {
      if (parents[twin] != parent) throw new IllegalStateException("another parent: " + hash);
      acquire(twin);
      release(block);
      return twin;
    }
    if (parent != NONE) requireState(parent, State.FULL);
    move(block, State.FILLING, State.FULL);
    hashes[block] = hash;
    parents[block] = parent;
    if (parent != NONE) childCounts[parent]++;
    index.put(hash, block);
    events.stored(parent == NONE ? null : hashes[parent], hash);
    return block;
  }

  /** The block of this name, or {@link #NONE}; it stays only for whoever acquires it. */
  public int find(BlockHash hash) {
    final int block = index.get(hash);
    return block == HashIndex.ABSENT ? NONE : block;
  }

  /** Whether a block is named and has no user, so that acquiring it makes one less available. */
  public boolean isCached(int block) {
    return states[block] == State.CACHED;
  }

  /** A named block's name. */
  public BlockHash hash(int block) {
    return hashes[block];
  }

  /** The block before a named one; {@link #NONE} at the start of a sequence. */
  public int parent(int block) {
    return parents[block];
  }

  /** How often a block has lost its name: while this stays, so do a named block's bytes. */
  public long evictions(int block) {
    return evictions[block];
  }

  /** Adds a user to a named block; its parents first. */
  public void acquire(int block) {
    if (states[block] == State.CACHED) {
      unlink(block);
      move(block, State.CACHED, State.FULL);
    }
    requireState(block, State.FULL);
    userCounts[block]++;
  }

  /** Takes a user away; its children first. Without users a named block is cached, another free. */
  public void release(int block) {
    if (userCounts[block] <= 0) throw new IllegalStateException("block " + block + " has no user");
    if (--userCounts[block] > 0) return;
    if (states[block] == State.FULL) {
      move(block, State.FULL, State.CACHED);
      linkLast(block);
    } else {
      states[block] = State.FREE;
      freeStack[freeCount++] = block;
    }
  }

  public boolean hasEvents() {
    return !events.isEmpty();
  }

  /** What happened to named blocks since the last call, in order. */
  public List<KvEvent> drainEvents() {
    return events.drain();
  }

  private void evict() {
    final int block = next[blockCount];
    if (block == blockCount) throw new IllegalStateException("all blocks are in use");
    if (childCounts[block] != 0)
      throw new IllegalStateException("block " + block + " has children");
    unlink(block);
    move(block, State.CACHED, State.FREE);
    index.remove(hashes[block]);
    events.removed(hashes[block]);
    if (parents[block] != NONE) childCounts[parents[block]]--;
    parents[block] = NONE;
    hashes[block] = null;
    evictions[block]++;
    freeStack[freeCount++] = block;
  }

  private void linkLast(int block) {
    final int last = previous[blockCount];
    next[last] = block;
    previous[block] = last;
    next[block] = blockCount;
    previous[blockCount] = block;
    cachedCount++;
  }

  private void unlink(int block) {
    next[previous[block]] = next[block];
    previous[next[block]] = previous[block];
    cachedCount--;
  }

  private void move(int block, State from, State to) {
    requireState(block, from);
    states[block] = to;
  }

  private void requireState(int block, State state) {
    if (states[block] != state) {
      throw new IllegalStateException("block " + block + " is " + states[block] + ", not " + state);
    }
  }

  // What tests look at.

  State state(int block) {
    return states[block];
  }

  int userCount(int block) {
    return userCounts[block];
  }

  int childCount(int block) {
    return childCounts[block];
  }

  int namedCount() {
    return index.size();
  }
}
