package dev.stator.transport;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.StampedLock;

/** Memory that an agent may copy from and to until it is closed; closing waits for copies. */
final class RegisteredMemory {
  private final int id;
  private final BlockMemory memory;
  private final StampedLock lock =
      new StampedLock(); // Read-locked by copies; write-locked for ever.

  RegisteredMemory(int id, BlockMemory memory) {
    this.id = id;
    this.memory = memory;
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

  /** Waits for the copies under way, a batch of blocks each. Nobody enters afterwards. */
  void close() {
    if (lock.isWriteLocked()) return;
    lock.writeLock();
  }
}
