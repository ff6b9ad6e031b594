package dev.stator.transport;

import java.lang.foreign.MemorySegment;

/** Memory that the CPU addresses: a block is read and written in its place. */
public interface DirectBlocks extends BlockMemory {
  /** The bytes of a block, readable and writable by any thread. */
  MemorySegment block(int blockIndex);

  @Override
  default HeldBlock read(int blockIndex) {
    return new DirectBlock(block(blockIndex));
  }

  @Override
  default BlockDraft draft(int blockIndex) {
    return new DirectBlock(block(blockIndex));
  }
}
