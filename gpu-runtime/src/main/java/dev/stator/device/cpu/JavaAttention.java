package dev.stator.device.cpu;

import dev.stator.kv.KvLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/**
 * {@link Attention} by Java's kernels, over float32 keys and values.
 *
 * <p><b>Threads:</b> as {@link Attention} says.
 */
final class JavaAttention implements Attention {
  /** Queries that share the loads: heads of a group, and neighbouring tokens. */
  static final int TILE_QUERIES = 4;

  private static final int BLOCK = CpuDevice.BLOCK_SIZE;
  private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ORDER);

  private final KvLayout layout;
  private final MemorySegment pool;
  private final KernelChoice choice;
  private final Scratch[] scratch;
  private final int headSize;
  private final int groupSize;
  private final float scale;
  private final float scoreCap;

  /**
   * @param scratch one a worker
   */
  JavaAttention(
      Heads heads, KvLayout layout, MemorySegment pool, KernelChoice choice, Scratch[] scratch) {
    this.layout = layout;
    this.pool = pool;
    this.choice = choice;
    this.scratch = scratch;
    headSize = heads.headSize();
    groupSize = heads.groupSize();
    scale = heads.scale();
    scoreCap = heads.scoreCap();
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
    run(
        q,
        out,
        stride,
        keyValueHead * groupSize * headSize,
        rowFrom,
        rowTo,
        positionOfRow0,
        blocks,
        layout.keyOffset(layer, keyValueHead),
        layout.valueOffset(layer, keyValueHead),
        window,
        scratch[worker]);
  }

  /**
   * As above, for the queries from {@code column} of their rows on and the keys and values at these
   * offsets in their blocks.
   */
  void run(
      float[] q,
      float[] out,
      int stride,
      int column,
      int rowFrom,
      int rowTo,
      int positionOfRow0,
      int[] blocks,
      long keyOffset,
      long valueOffset,
      int window,
      Scratch own) {
    final int queries = (rowTo - rowFrom) * groupSize;
    final int[] at = own.queryOffsets;
    final int[] lengths = own.queryLengths;
    final int[] starts = own.queryStarts;
    for (int first = 0; first < queries; first += TILE_QUERIES) {
      for (int i = 0; i < TILE_QUERIES; i++) {
        final int query = Math.min(first + i, queries - 1);
        final int row = rowFrom + query / groupSize;
        at[i] = row * stride + column + query % groupSize * headSize;
        lengths[i] = positionOfRow0 + row + 1;
        starts[i] = Math.max(0, lengths[i] - window);
      }
      tile(q, out, Math.min(TILE_QUERIES, queries - first), blocks, keyOffset, valueOffset, own);
    }
  }

  private void tile(
      float[] q,
      float[] out,
      int queries,
      int[] blocks,
      long keyOffset,
      long valueOffset,
      Scratch own) {
    final int[] lengths = own.queryLengths;
    final int[] starts = own.queryStarts;
    final int rowLength = own.scores.length / TILE_QUERIES;
    final int firstBlock = starts[0] / BLOCK;
    final int blockCount = Attention.blocksOf(lengths[TILE_QUERIES - 1]);
    final boolean usesVectors = choice.usesVectors();
    if (usesVectors) scores(q, own, firstBlock, blockCount, blocks, keyOffset, rowLength);
    else scalarScores(q, own, queries, firstBlock, blockCount, blocks, keyOffset, rowLength);
    for (int i = 0; i < queries; i++) {
      own.sums[i] =
          softmax(own, i * rowLength, firstBlock * BLOCK, starts[i], lengths[i], usesVectors);
    }
    // Rows of repeated queries hold raw scores: their chains are computed and dropped.
    Arrays.fill(own.heads, 0f);
    // All queries see the positions up to the first one's last. Before a later query's window its
    // weights are zeros, which
    // change no chain.
    int vectorEnd = 0;
    if (usesVectors && headSize >= 2 * Lanes.COUNT) {
      vectorEnd = headSize / Lanes.COUNT * Lanes.COUNT;
      for (int d = 0; d < vectorEnd; d += 2 * Lanes.COUNT) {
        // The last pair of vectors may repeat one of the pair before.
        final int from = Math.min(d, vectorEnd - 2 * Lanes.COUNT);
        values(own.scores, rowLength, firstBlock, lengths[0], blocks, valueOffset, own.heads, from);
      }
    }
    for (int i = 0; i < queries; i++) {
      final int from = i * rowLength;
      rest(own, i, from, lengths[0], lengths[i], 0, vectorEnd, blocks, valueOffset);
      rest(own, i, from, starts[i], lengths[i], vectorEnd, headSize, blocks, valueOffset);
      for (int d = 0; d < headSize; d++) {
        out[own.queryOffsets[i] + d] = own.heads[i * headSize + d] / own.sums[i];
      }
    }
  }

  /** Scores of four queries against whole blocks, two vectors of positions at a time. */
  private void scores(
      float[] q,
      Scratch own,
      int firstBlock,
      int blockCount,
      int[] blocks,
      long keyOffset,
      int rowLength) {
    final float[] scores = own.scores;
    final int q0 = own.queryOffsets[0];
    final int q1 = own.queryOffsets[1];
    final int q2 = own.queryOffsets[2];
    final int q3 = own.queryOffsets[3];
    final int vectors = blockCount * Lanes.PER_PANEL;
    for (int v = firstBlock * Lanes.PER_PANEL; v < vectors; v += 2) {
      final int u = Math.min(v + 1, vectors - 1);
      final long vKeys = keyOffset + keyVector(blocks, v);
      final long uKeys = keyOffset + keyVector(blocks, u);
      FloatVector v0 = FloatVector.zero(Lanes.FLOATS);
      FloatVector v1 = v0;
      FloatVector v2 = v0;
      FloatVector v3 = v0;
      FloatVector u0 = v0;
      FloatVector u1 = v0;
      FloatVector u2 = v0;
      FloatVector u3 = v0;
      for (int d = 0; d < headSize; d++) {
        final long row = d * (4L * BLOCK);
        final FloatVector vKey =
            FloatVector.fromMemorySegment(Lanes.FLOATS, pool, vKeys + row, ORDER);
        final FloatVector uKey =
            FloatVector.fromMemorySegment(Lanes.FLOATS, pool, uKeys + row, ORDER);
        v0 = vKey.fma(FloatVector.broadcast(Lanes.FLOATS, q[q0 + d]), v0);
        u0 = uKey.fma(FloatVector.broadcast(Lanes.FLOATS, q[q0 + d]), u0);
        v1 = vKey.fma(FloatVector.broadcast(Lanes.FLOATS, q[q1 + d]), v1);
        u1 = uKey.fma(FloatVector.broadcast(Lanes.FLOATS, q[q1 + d]), u1);
        v2 = vKey.fma(FloatVector.broadcast(Lanes.FLOATS, q[q2 + d]), v2);
        u2 = uKey.fma(FloatVector.broadcast(Lanes.FLOATS, q[q2 + d]), u2);
        v3 = vKey.fma(FloatVector.broadcast(Lanes.FLOATS, q[q3 + d]), v3);
        u3 = uKey.fma(FloatVector.broadcast(Lanes.FLOATS, q[q3 + d]), u3);
      }
      final int to = v * Lanes.COUNT;
      final int next = u * Lanes.COUNT;
      v0.mul(scale).intoArray(scores, to);
      u0.mul(scale).intoArray(scores, next);
      v1.mul(scale).intoArray(scores, rowLength + to);
      u1.mul(scale).intoArray(scores, rowLength + next);
      v2.mul(scale).intoArray(scores, 2 * rowLength + to);
      u2.mul(scale).intoArray(scores, 2 * rowLength + next);
      v3.mul(scale).intoArray(scores, 3 * rowLength + to);
      u3.mul(scale).intoArray(scores, 3 * rowLength + next);
    }
  }

  /** Where a vector of positions lies, from the block's head on. */
  private long keyVector(int[] blocks, int vector) {
    return blocks[vector / Lanes.PER_PANEL] * layout.blockBytes()
        + 4L * (vector % Lanes.PER_PANEL * Lanes.COUNT);
  }

  private void scalarScores(
      float[] q,
      Scratch own,
      int queries,
      int firstBlock,
      int blockCount,
      int[] blocks,
      long keyOffset,
      int rowLength) {
    for (int b = firstBlock; b < blockCount; b++) {
      final long keys = blocks[b] * layout.blockBytes() + keyOffset;
      MemorySegment.copy(pool, FLOAT, keys, own.block, 0, own.block.length);
      for (int i = 0; i < queries; i++) {
        final int to = i * rowLength + b * BLOCK;
        Arrays.fill(own.scores, to, to + BLOCK, 0f);
        ScalarKernels.multiply(own.block, headSize, q, own.queryOffsets[i], own.scores, to);
        for (int t = 0; t < BLOCK; t++) own.scores[to + t] *= scale;
      }
    }
  }

  /**
   * Turns the scores of positions {@code [start, length)} into weights, those of the others from
   * {@code base}, a block's begin, on into zeros; returns their sum.
   */
  private float softmax(
      Scratch own, int row, int base, int start, int length, boolean usesVectors) {
    final float[] scores = own.scores;
    final float[] chains = own.chains;
    final int from = row + base;
    final int to = row + Attention.paddedLength(length);
    if (scoreCap > 0) FloatMath.softcap(scores, from, to, scoreCap, usesVectors);
    Arrays.fill(scores, from, row + start, Float.NEGATIVE_INFINITY);
    Arrays.fill(scores, row + length, to, Float.NEGATIVE_INFINITY);
    FloatMath.expOfDifference(scores, from, to, max(scores, from, to, usesVectors), usesVectors);
    Arrays.fill(chains, 0f);
    if (usesVectors) {
      for (int c = 0; c < BLOCK; c += Lanes.COUNT) {
        FloatVector sum = FloatVector.zero(Lanes.FLOATS);
        for (int i = from + c; i < to; i += BLOCK) {
          sum = sum.add(FloatVector.fromArray(Lanes.FLOATS, scores, i));
        }
        sum.intoArray(chains, c);
      }
    } else {
      for (int i = from; i < to; i++) chains[(i - from) % BLOCK] += scores[i];
    }
    return Norms.tree(chains);
  }

  /** The largest; no order changes it. */
  private static float max(float[] scores, int from, int to, boolean usesVectors) {
    float max = Float.NEGATIVE_INFINITY;
    int i = from;
    if (usesVectors) {
      FloatVector most = FloatVector.broadcast(Lanes.FLOATS, max);
      for (; i < to; i += Lanes.COUNT) {
        most = most.max(FloatVector.fromArray(Lanes.FLOATS, scores, i));
      }
      for (int lane = 0; lane < Lanes.COUNT; lane++) max = Math.max(max, most.lane(lane));
    }
    for (; i < to; i++) max = Math.max(max, scores[i]);
    return max;
  }

  /**
   * The value chains of four queries over the positions from {@code firstBlock}'s to {@code
   * length}, for two vectors of dimensions from {@code d} on.
   */
  private void values(
      float[] weights,
      int rowLength,
      int firstBlock,
      int length,
      int[] blocks,
      long valueOffset,
      float[] acc,
      int d) {
    FloatVector a0 = FloatVector.zero(Lanes.FLOATS);
    FloatVector a1 = a0;
    FloatVector a2 = a0;
    FloatVector a3 = a0;
    FloatVector b0 = a0;
    FloatVector b1 = a0;
    FloatVector b2 = a0;
    FloatVector b3 = a0;
    for (int b = firstBlock; b * BLOCK < length; b++) {
      final long values = blocks[b] * layout.blockBytes() + valueOffset + 4L * d;
      final int tokens = Math.min(BLOCK, length - b * BLOCK);
      for (int t = 0; t < tokens; t++) {
        final long row = values + t * (4L * headSize);
        final FloatVector v = FloatVector.fromMemorySegment(Lanes.FLOATS, pool, row, ORDER);
        final FloatVector u =
            FloatVector.fromMemorySegment(Lanes.FLOATS, pool, row + 4L * Lanes.COUNT, ORDER);
        final int j = b * BLOCK + t;
        a0 = v.fma(FloatVector.broadcast(Lanes.FLOATS, weights[j]), a0);
        b0 = u.fma(FloatVector.broadcast(Lanes.FLOATS, weights[j]), b0);
        a1 = v.fma(FloatVector.broadcast(Lanes.FLOATS, weights[rowLength + j]), a1);
        b1 = u.fma(FloatVector.broadcast(Lanes.FLOATS, weights[rowLength + j]), b1);
        a2 = v.fma(FloatVector.broadcast(Lanes.FLOATS, weights[2 * rowLength + j]), a2);
        b2 = u.fma(FloatVector.broadcast(Lanes.FLOATS, weights[2 * rowLength + j]), b2);
        a3 = v.fma(FloatVector.broadcast(Lanes.FLOATS, weights[3 * rowLength + j]), a3);
        b3 = u.fma(FloatVector.broadcast(Lanes.FLOATS, weights[3 * rowLength + j]), b3);
      }
    }
    a0.intoArray(acc, d);
    b0.intoArray(acc, d + Lanes.COUNT);
    a1.intoArray(acc, headSize + d);
    b1.intoArray(acc, headSize + d + Lanes.COUNT);
    a2.intoArray(acc, 2 * headSize + d);
    b2.intoArray(acc, 2 * headSize + d + Lanes.COUNT);
    a3.intoArray(acc, 3 * headSize + d);
    b3.intoArray(acc, 3 * headSize + d + Lanes.COUNT);
  }

  /**
   * Continues one query's chains over positions {@code [from, to)} for dimensions {@code [dFrom,
   * dTo)}.
   */
  private void rest(
      Scratch own,
      int query,
      int weightRow,
      int from,
      int to,
      int dFrom,
      int dTo,
      int[] blocks,
      long valueOffset) {
    final int count = dTo - dFrom;
    if (count == 0) return;
    for (int j = from; j < to; j++) {
      final long row = j % BLOCK * (4L * headSize) + 4L * dFrom;
      final long values = blocks[j / BLOCK] * layout.blockBytes() + valueOffset + row;
      MemorySegment.copy(pool, FLOAT, values, own.block, 0, count);
      final int acc = query * headSize + dFrom;
      ScalarKernels.addScaled(own.scores[weightRow + j], own.block, 0, own.heads, acc, count);
    }
  }
}
