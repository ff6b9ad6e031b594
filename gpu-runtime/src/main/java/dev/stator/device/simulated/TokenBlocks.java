package dev.stator.device.simulated;

import dev.stator.device.StepInput;
import dev.stator.kv.KvLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * KV blocks that hold tokens: every value of a token's keys and values, in all layers and heads, is
 * the token and its place mixed together, so that no part of a block can be missing unnoticed.
 *
 * <p><b>Threads:</b> as {@link dev.stator.device.Device}. <b>Ownership:</b> the memory is its own,
 * off-heap, until {@link #close}.
 */
final class TokenBlocks implements AutoCloseable {
  private final KvLayout layout;
  private final int blockCount;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment memory;

  TokenBlocks(KvLayout layout, int blockCount) {
    if (blockCount <= 0) throw new IllegalArgumentException("block count must be positive");
    this.layout = layout;
    this.blockCount = blockCount;
    this.memory = arena.allocate(Math.multiplyExact(layout.blockBytes(), (long) blockCount), 64);
  }

  KvLayout layout() {
    return layout;
  }

  int blockCount() {
    return blockCount;
  }

  long byteSize() {
    return memory.byteSize();
  }

  MemorySegment block(int blockIndex) {
    return memory.asSlice(blockIndex * layout.blockBytes(), layout.blockBytes());
  }

  /** Writes the tokens of a slice into their blocks. */
  void write(StepInput.Slice slice) {
    for (int position = slice.start(); position < slice.start() + slice.tokenCount(); position++) {
      final int token = slice.tokens()[position];
      final MemorySegment block = block(slice.blocks()[position / layout.blockSize()]);
      forEachValue(
          position,
          (offset, place) -> {
            block.set(ValueLayout.JAVA_INT_UNALIGNED, offset, token ^ place);
            return true;
          });
    }
  }

  /**
   * The token at a position; one that nobody wrote when what lies there is of another position, or
   * its values disagree.
   */
  int read(int[] blocks, int position) {
    final MemorySegment block = block(blocks[position / layout.blockSize()]);
    final int slot = position % layout.blockSize();
    final int token =
        block.get(ValueLayout.JAVA_INT_UNALIGNED, layout.keyOffset(0, 0) + 4L * slot)
            ^ place(position, 0);
    final boolean isWhole =
        forEachValue(
            position,
            (offset, place) ->
                (block.get(ValueLayout.JAVA_INT_UNALIGNED, offset) ^ place) == token);
    return isWhole ? token : ~token;
  }

  private interface ValueVisitor {
    boolean visit(long offset, int place);
  }

  /** Visits each value of a token, until one visit is false. */
  private boolean forEachValue(int position, ValueVisitor visitor) {
    final int slot = position % layout.blockSize();
    int index = 0;
    for (int layer = 0; layer < layout.layerCount(); layer++) {
      for (int head = 0; head < layout.keyValueHeadCount(); head++) {
        final long keys = layout.keyOffset(layer, head) + 4L * slot;
        final long values = layout.valueOffset(layer, head) + 4L * slot * layout.headSize();
        for (int i = 0; i < layout.headSize(); i++) {
          final long key = keys + 4L * i * layout.blockSize();
          if (!visitor.visit(key, place(position, index++))) return false;
          if (!visitor.visit(values + 4L * i, place(position, index++))) return false;
        }
      }
    }
    return true;
  }

  private static int place(int position, int valueIndex) {
    return (position * 0x9E3779B9 + valueIndex) * 0x85EBCA6B;
  }

  @Override
  public void close() {
    arena.close();
  }
}
