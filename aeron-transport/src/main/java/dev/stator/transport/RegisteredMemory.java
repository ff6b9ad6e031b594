package dev.stator.transport;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.StampedLock;

/** Memory that an agent may copy from and to until it is closed; closing waits for copies. */
final class RegisteredMemory {
  private final int id;
  private final BlockMemory memory;
  private final DevicePool device; // Null when it lies in none.
  private final LentPool lent; // Null when other processes cannot get at it.
  private final Set<PeerPool> opened = ConcurrentHashMap.newKeySet();
  private final StampedLock lock =
      new StampedLock(); // Read-locked by copies; write-locked for ever.

  RegisteredMemory(int id, BlockMemory memory) {
    this.id = id;
    this.memory = memory;
    this.device = memory.devicePool().orElse(null);
    this.lent = device == null ? null : LentPool.of(device);
  }

  int id() {
    return id;
  }

  BlockGeometry geometry() {
    return memory.geometry();
  }

  Optional<SharedMemory> shared() {
    return memory.shared();
  }

  Optional<StraightCopies> straight() {
    return memory.straight();
  }

  /** {@code null} when it lies in no device. */
  DevicePool device() {
    return device;
  }

  /** {@code null} when other processes cannot get at it. */
  LentPool lent() {
    return lent;
  }

  /**
   * Has opened another process's pool, by who has entered: it is closed before this memory goes.
   */
  void opened(PeerPool pool) {
    opened.add(pool);
  }

  /** The pool has gone first. */
  void closed(PeerPool pool) {
    opened.remove(pool);
  }

  /** The memory itself, for who has entered. */
  BlockMemory blocks() {
    return memory;
  }

  boolean contains(int blockIndex) {
    return blockIndex >= 0 && blockIndex < memory.blockCount();
  }

  /** Throws unless each of these is a block of this memory, once. */
  void requireDistinct(List<Integer> blocks) {
    if (new HashSet<>(blocks).size() != blocks.size()) {
      throw new IllegalArgumentException("a block is granted twice: " + blocks);
    }
    for (int block : blocks) {
      if (!contains(block)) throw new IllegalArgumentException("no such block: " + block);
    }
  }

  /** As {@link BlockMemory#read}, by who has entered. */
  HeldBlock read(int blockIndex) {
    return memory.read(blockIndex);
  }

  /** As {@link BlockMemory#draft}, by who has entered. */
  BlockDraft draft(int blockIndex) {
    return memory.draft(blockIndex);
  }

  /** Keeps the memory open until {@link #leave} of the stamp; 0 when it is closed. */
  long enter() {
    return lock.tryReadLock();
  }

  void leave(long stamp) {
    lock.unlockRead(stamp);
  }

  /**
   * Waits for the copies under way, a batch of blocks each, those of other processes too. Nobody
   * enters afterwards.
   */
  void close() {
    if (lock.isWriteLocked()) return;
    lock.writeLock();
    for (PeerPool pool : opened) pool.forget(this);
    if (lent != null) lent.close();
  }
}
