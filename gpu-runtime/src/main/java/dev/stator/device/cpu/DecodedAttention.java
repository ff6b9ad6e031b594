package dev.stator.device.cpu;

import dev.stator.kv.KvLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * {@link Attention} by Java's kernels over rounded keys and values: a run's are read as floats
 * first, into memory of the worker.
 *
 * <p><b>Threads:</b> as {@link Attention} says.
 */
final class DecodedAttention implements Attention {
  /** One worker's floats, laid out as blocks of one head. */
  private record Decoded(MemorySegment floats, JavaAttention attention) {}

  private final Heads heads;
  private final KvCache cache;
  private final KernelChoice choice;
  private final Scratch[] scratch;
  private final KvLayout oneHead;
  private final Decoded[] decoded;
  private final int[] blocksInOrder;

  DecodedAttention(
      Heads heads,
      KvCache cache,
      int contextLength,
      KernelChoice choice,
      Arena arena,
      Scratch[] scratch) {
    this.heads = heads;
    this.cache = cache;
    this.choice = choice;
    this.scratch = scratch;
    oneHead = Attention.oneHead(heads.headSize());
    blocksInOrder = new int[Attention.blocksOf(contextLength)];
    for (int b = 0; b < blocksInOrder.length; b++) blocksInOrder[b] = b;
    decoded = new Decoded[scratch.length];
    for (int i = 0; i < decoded.length; i++) {
      final MemorySegment floats =
          OffHeap.allocate(arena, blocksInOrder.length * oneHead.blockBytes());
      decoded[i] = new Decoded(floats, new JavaAttention(heads, oneHead, floats, choice, scratch));
    }
  }

  @Override
  public void run(
      float[] q,
      float[] out,
      int stride,
      int rowFrom,
      int rowTo,
      int positionOfRow0,
      int[] blocks,
      int layer,
      int keyValueHead,
      int window,
      int worker) {
    final Decoded own = decoded[worker];
    final boolean usesVectors = choice.usesVectors();
    final int first = Math.max(0, positionOfRow0 + rowFrom + 1 - window) / CpuDevice.BLOCK_SIZE;
    final int end = Attention.blocksOf(positionOfRow0 + rowTo);
    for (int b = first; b < end; b++) {
      final long at = b * oneHead.blockBytes();
      cache.decode(blocks[b], layer, keyValueHead, own.floats(), at, usesVectors);
    }
    own.attention()
        .run(
            q,
            out,
            stride,
            keyValueHead * heads.groupSize() * heads.headSize(),
            rowFrom,
            rowTo,
            positionOfRow0,
            blocksInOrder,
            oneHead.keyOffset(0, 0),
            oneHead.valueOffset(0, 0),
            window,
            scratch[worker]);
  }

  @Override
  public long bytes() {
    return decoded.length * blocksInOrder.length * oneHead.blockBytes();
  }
}
