package dev.stator.transport;

import java.lang.foreign.MemorySegment;

/** A block in its place; there is nothing to give up. */
record DirectBlock(MemorySegment bytes) implements BlockDraft {
  @Override
  public void commit() {}

  @Override
  public void close() {}
}
