package dev.stator.device.cpu;

import dev.stator.kv.KvLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * {@link Attention} by native kernels. A call may last as long as a sequence is; so what it reads
 * and writes lies off the heap, and no garbage collection waits for it.
 *
 * <p><b>Threads:</b> as {@link Attention} says.
 */
final class NativeAttention implements Attention {
  /** Queries that share the loads: heads of a group, and neighbouring tokens. */
  private static final int TILE_QUERIES = 8;

  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

  /** One worker's memory: of a tile, and the sequence's block indices. */
  private record Tile(
      MemorySegment queries,
      MemorySegment spans,
      MemorySegment scores,
      MemorySegment out,
      MemorySegment blocks) {
    long bytes() {
      return queries.byteSize()
          + spans.byteSize()
          + scores.byteSize()
          + out.byteSize()
          + blocks.byteSize();
    }
  }

  private final Heads heads;
  private final KvCache cache;
  private final NativeKernels.Attend attend;
  private final int rowLength;
  private final Tile[] tiles;

  NativeAttention(
      Heads heads,
      KvCache cache,
      int contextLength,
      NativeKernels kernels,
      Arena arena,
      int workerCount) {
    this.heads = heads;
    this.cache = cache;
    attend = kernels.attention(cache.layout().type());
    rowLength = Attention.paddedLength(contextLength);
    final long headBytes = 4L * TILE_QUERIES * heads.headSize();
    tiles = new Tile[workerCount];
    for (int i = 0; i < workerCount; i++) {
      tiles[i] =
          new Tile(
              OffHeap.allocate(arena, headBytes),
              OffHeap.allocate(arena, 4L * 2 * TILE_QUERIES),
              OffHeap.allocate(arena, 4L * TILE_QUERIES * rowLength),
              OffHeap.allocate(arena, headBytes),
              OffHeap.allocate(arena, 4L * Attention.blocksOf(contextLength)));
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
    final Tile tile = tiles[worker];
    final int headSize = heads.headSize();
    final int group = heads.groupSize();
    final int column = keyValueHead * group * headSize;
    final int blockCount = Attention.blocksOf(positionOfRow0 + rowTo);
    MemorySegment.copy(blocks, 0, tile.blocks(), INT, 0, blockCount);
    final int count = (rowTo - rowFrom) * group;
    for (int first = 0; first < count; first += TILE_QUERIES) {
      final int queries = Math.min(TILE_QUERIES, count - first);
      for (int i = 0; i < queries; i++) {
        final int row = rowFrom + (first + i) / group;
        final int at = row * stride + column + (first + i) % group * headSize;
        MemorySegment.copy(q, at, tile.queries(), FLOAT, 4L * i * headSize, headSize);
        final int length = positionOfRow0 + row + 1;
        tile.spans().setAtIndex(INT, i, Math.max(0, length - window));
        tile.spans().setAtIndex(INT, queries + i, length);
      }
      attend(tile, queries, layer, keyValueHead);
      for (int i = 0; i < queries; i++) {
        final int row = rowFrom + (first + i) / group;
        final int at = row * stride + column + (first + i) % group * headSize;
        MemorySegment.copy(tile.out(), FLOAT, 4L * i * headSize, out, at, headSize);
      }
    }
  }

  private void attend(Tile tile, int queries, int layer, int head) {
    final KvLayout layout = cache.layout();
    attend.run(
        cache.pool(),
        layout.blockBytes(),
        tile.blocks(),
        layout.keyOffset(layer, head),
        layout.valueOffset(layer, head),
        heads,
        tile.queries(),
        tile.spans(),
        queries,
        tile.scores(),
        rowLength,
        tile.out());
  }

  @Override
  public long bytes() {
    long bytes = 0;
    for (Tile tile : tiles) bytes += tile.bytes();
    return bytes;
  }
}
