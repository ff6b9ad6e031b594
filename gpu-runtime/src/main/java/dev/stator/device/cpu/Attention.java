package dev.stator.device.cpu;

import dev.stator.kv.KvLayout;
import dev.stator.model.ModelConfig;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/**
 * Causal attention over paged keys and values. For a query head at position {@code p}, as one
 * scalar program:
 *
 * <pre>
 *   score[j] = chain over d of fma(query[d], key[j][d], acc), times 1 / sqrt(headSize)          j = 0..p
 *   weight[j] = exp(score[j] - max(score))
 *   sum = 16 chains of weight[j], j = c mod 16, in order of j, then the tree of Norms
 *   out[d] = (chain over j of fma(weight[j], value[j][d], acc)) / sum
 * </pre>
 *
 * <p>Nothing depends on the step's cut: a tile of queries shares the loads of keys and values,
 * never a sum. Lanes of a block beyond {@code p} may be computed from stale memory and are dropped
 * before anything sees them.
 *
 * <p><b>Threads:</b> any, each with its own scratch and its own rows of {@code out}.
 */
final class Attention {
  /** Queries that share the loads: heads of a group, and neighbouring tokens. */
  static final int TILE_QUERIES = 4;

  private static final int BLOCK = CpuDevice.BLOCK_SIZE;
  private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ORDER);

  private final KvLayout layout;
  private final MemorySegment pool;
  private final int headSize;
  private final int groupSize;
  private final float scale;

  Attention(ModelConfig config, KvLayout layout, MemorySegment pool) {
    this.layout = layout;
    this.pool = pool;
    this.headSize = config.headSize();
    this.groupSize = config.headCount() / config.keyValueHeadCount();
    this.scale = (float) (1 / Math.sqrt(headSize));
  }

  static int paddedLength(int length) {
    return (length + BLOCK - 1) / BLOCK * BLOCK;
  }

  /**
   * Queries of one key/value head: rows {@code [rowFrom, rowTo)} of {@code q} and {@code out}, one
   * token each.
   *
   * @param blocks block indices of the rows' sequence
   * @param positionOfRow0 a row's position less its row number
   */
  void run(
      float[] q,
      float[] out,
      int stride,
      int rowFrom,
      int rowTo,
      int positionOfRow0,
      int[] blocks,
      int layer,
      int keyValueHead,
      Scratch scratch) {
    final int queries = (rowTo - rowFrom) * groupSize;
    final int[] at = scratch.queryOffsets;
    final int[] lengths = scratch.queryLengths;
    for (int first = 0; first < queries; first += TILE_QUERIES) {
      for (int i = 0; i < TILE_QUERIES; i++) {
        final int query = Math.min(first + i, queries - 1);
        final int row = rowFrom + query / groupSize;
        at[i] = row * stride + (keyValueHead * groupSize + query % groupSize) * headSize;
        lengths[i] = positionOfRow0 + row + 1;
      }
      tile(q, out, Math.min(TILE_QUERIES, queries - first), blocks, layer, keyValueHead, scratch);
    }
  }

  private void tile(
      float[] q, float[] out, int queries, int[] blocks, int layer, int head, Scratch scratch) {
    final int[] at = scratch.queryOffsets;
    final int[] lengths = scratch.queryLengths;
    final float[] scores = scratch.scores;
    final int rowLength = scores.length / TILE_QUERIES;
    final int lengthMax = lengths[TILE_QUERIES - 1];
    scores(
        q,
        at,
        paddedLength(lengthMax) / BLOCK,
        blocks,
        layout.keyOffset(layer, head),
        scores,
        rowLength);
    for (int i = 0; i < queries; i++) {
      scratch.sums[i] = softmax(scores, i * rowLength, lengths[i], scratch.chains);
    }
    // Rows of repeated queries hold raw scores: their chains are computed and dropped.
    final long valueOffset = layout.valueOffset(layer, head);
    final float[] acc = scratch.heads;
    final int lengthMin = lengths[0];
    for (int d = 0; d < headSize; d += Lanes.COUNT) {
      if (d + Lanes.COUNT <= headSize)
        values(scores, rowLength, lengthMin, blocks, valueOffset + 4L * d, acc, d);
    }
    for (int i = 0; i < queries; i++) {
      final int vectorEnd = headSize / Lanes.COUNT * Lanes.COUNT;
      rest(
          scores,
          i * rowLength,
          lengthMin,
          lengths[i],
          0,
          vectorEnd,
          blocks,
          valueOffset,
          acc,
          i * headSize);
      Arrays.fill(acc, i * headSize + vectorEnd, (i + 1) * headSize, 0f);
      rest(
          scores,
          i * rowLength,
          0,
          lengths[i],
          vectorEnd,
          headSize,
          blocks,
          valueOffset,
          acc,
          i * headSize);
      for (int d = 0; d < headSize; d++) out[at[i] + d] = acc[i * headSize + d] / scratch.sums[i];
    }
  }

  /** Raw scores of four queries against whole blocks. */
  private void scores(
      float[] q,
      int[] at,
      int blockCount,
      int[] blocks,
      long keyOffset,
      float[] scores,
      int rowLength) {
    final int q0 = at[0];
    final int q1 = at[1];
    final int q2 = at[2];
    final int q3 = at[3];
    for (int b = 0; b < blockCount; b++) {
      for (int lane = 0; lane < BLOCK; lane += Lanes.COUNT) {
        final long keys = blocks[b] * layout.blockBytes() + keyOffset + 4L * lane;
        FloatVector s0 = FloatVector.zero(Lanes.FLOATS);
        FloatVector s1 = s0;
        FloatVector s2 = s0;
        FloatVector s3 = s0;
        for (int d = 0; d < headSize; d++) {
          final FloatVector key =
              FloatVector.fromMemorySegment(Lanes.FLOATS, pool, keys + d * (4L * BLOCK), ORDER);
          s0 = key.fma(FloatVector.broadcast(Lanes.FLOATS, q[q0 + d]), s0);
          s1 = key.fma(FloatVector.broadcast(Lanes.FLOATS, q[q1 + d]), s1);
          s2 = key.fma(FloatVector.broadcast(Lanes.FLOATS, q[q2 + d]), s2);
          s3 = key.fma(FloatVector.broadcast(Lanes.FLOATS, q[q3 + d]), s3);
        }
        final int to = b * BLOCK + lane;
        s0.mul(scale).intoArray(scores, to);
        s1.mul(scale).intoArray(scores, rowLength + to);
        s2.mul(scale).intoArray(scores, 2 * rowLength + to);
        s3.mul(scale).intoArray(scores, 3 * rowLength + to);
      }
    }
  }

  /** Turns scores into weights, zero beyond {@code length}; returns their sum. */
  private static float softmax(float[] scores, int from, int length, float[] chains) {
    final int to = from + paddedLength(length);
    Arrays.fill(scores, from + length, to, Float.NEGATIVE_INFINITY);
    float max = Float.NEGATIVE_INFINITY;
    for (int i = from; i < to; i++) max = Math.max(max, scores[i]);
    FloatMath.expOfDifference(scores, from, to, max);
    for (int c = 0; c < BLOCK; c += Lanes.COUNT) {
      FloatVector sum = FloatVector.zero(Lanes.FLOATS);
      for (int i = from + c; i < to; i += BLOCK)
        sum = sum.add(FloatVector.fromArray(Lanes.FLOATS, scores, i));
      sum.intoArray(chains, c);
    }
    return Norms.tree(chains);
  }

  /**
   * The value chains of four queries over the positions that all of them see, for one vector of
   * dimensions.
   */
  private void values(
      float[] weights,
      int rowLength,
      int length,
      int[] blocks,
      long valueOffset,
      float[] acc,
      int d) {
    FloatVector a0 = FloatVector.zero(Lanes.FLOATS);
    FloatVector a1 = a0;
    FloatVector a2 = a0;
    FloatVector a3 = a0;
    for (int b = 0; b * BLOCK < length; b++) {
      final long values = blocks[b] * layout.blockBytes() + valueOffset;
      final int tokens = Math.min(BLOCK, length - b * BLOCK);
      for (int t = 0; t < tokens; t++) {
        final FloatVector v =
            FloatVector.fromMemorySegment(Lanes.FLOATS, pool, values + t * (4L * headSize), ORDER);
        final int j = b * BLOCK + t;
        a0 = v.fma(FloatVector.broadcast(Lanes.FLOATS, weights[j]), a0);
        a1 = v.fma(FloatVector.broadcast(Lanes.FLOATS, weights[rowLength + j]), a1);
        a2 = v.fma(FloatVector.broadcast(Lanes.FLOATS, weights[2 * rowLength + j]), a2);
        a3 = v.fma(FloatVector.broadcast(Lanes.FLOATS, weights[3 * rowLength + j]), a3);
      }
    }
    a0.intoArray(acc, d);
    a1.intoArray(acc, headSize + d);
    a2.intoArray(acc, 2 * headSize + d);
    a3.intoArray(acc, 3 * headSize + d);
  }

  /**
   * Continues one query's chains over positions {@code [from, to)} for dimensions {@code [dFrom,
   * dTo)}.
   */
  private void rest(
      float[] weights,
      int row,
      int from,
      int to,
      int dFrom,
      int dTo,
      int[] blocks,
      long valueOffset,
      float[] acc,
      int accOffset) {
    for (int j = from; j < to; j++) {
      final long values =
          blocks[j / BLOCK] * layout.blockBytes() + valueOffset + j % BLOCK * (4L * headSize);
      for (int d = dFrom; d < dTo; d++) {
        acc[accOffset + d] =
            Math.fma(weights[row + j], pool.get(FLOAT, values + 4L * d), acc[accOffset + d]);
      }
    }
  }
}
