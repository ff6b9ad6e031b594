package dev.stator.device.cpu;

import dev.stator.kv.KvLayout;
import dev.stator.kv.KvLayout.KvType;
import dev.stator.model.ModelConfig;
import java.lang.foreign.Arena;

/**
 * Causal attention over paged keys and values. For a query head at position {@code p}, as one
 * scalar program:
 *
 * <pre>
 *   score[j] = chain over d of fma(query[d], key[j][d], acc), times scale                       j = from..p
 *   score[j] = cap * tanh(score[j] / cap)                                                       where there is a cap
 *   weight[j] = exp(score[j] - max(score))
 *   sum = 16 chains of weight[j], j = c mod 16, in order of j, then the tree of Norms
 *   out[d] = (chain over j of fma(weight[j], value[j][d], acc)) / sum
 * </pre>
 *
 * <p>{@code from} is 0, or {@code p - window + 1} in a layer with a sliding window. Keys and values
 * are what {@link KvCache} reads.
 *
 * <p>Nothing depends on the step's cut: a tile of queries shares the loads of keys and values,
 * never a sum. Lanes of a block beyond {@code p} may be computed from stale memory and are dropped
 * before anything sees them. All implementations give the same bits.
 *
 * <p><b>Threads:</b> any, each with its own worker index and its own rows of {@code out}.
 */
interface Attention {
  /**
   * Heads of a model's attention.
   *
   * @param groupSize query heads of a key/value head
   * @param scoreCap 0 for none
   */
  record Heads(int headSize, int groupSize, float scale, float scoreCap) {
    static Heads of(ModelConfig config) {
      return new Heads(
          config.headSize(),
          config.headCount() / config.keyValueHeadCount(),
          config.attentionScale(),
          config.attention().scoreCap());
    }

    /** As most models have them. */
    static Heads plain(int headSize, int groupSize) {
      return new Heads(headSize, groupSize, (float) (1 / Math.sqrt(headSize)), 0);
    }
  }

  /** Makes attention for workers that have scratch memory. */
  @FunctionalInterface
  interface Factory {
    Attention create(Scratch[] scratch);
  }

  /** The fastest that there is, for sequences up to {@code contextLength}. */
  static Factory fastest(
      Heads heads,
      KvCache cache,
      int contextLength,
      NativeKernels kernels,
      KernelChoice choice,
      Arena arena) {
    if (kernels == null)
      return scratch -> inJava(heads, cache, contextLength, choice, arena, scratch);
    return scratch ->
        new NativeAttention(heads, cache, contextLength, kernels, arena, scratch.length);
  }

  /** By Java's kernels. */
  static Attention inJava(
      Heads heads,
      KvCache cache,
      int contextLength,
      KernelChoice choice,
      Arena arena,
      Scratch[] scratch) {
    if (cache.layout().type() == KvType.F32) {
      return new JavaAttention(heads, cache.layout(), cache.pool(), choice, scratch);
    }
    return new DecodedAttention(heads, cache, contextLength, choice, arena, scratch);
  }

  /**
   * Queries of one key/value head: rows {@code [rowFrom, rowTo)} of {@code q} and {@code out}, one
   * token each.
   *
   * @param stride of rows
   * @param positionOfRow0 a row's position less its row number
   * @param blocks block indices of the rows' sequence
   * @param window positions that a query sees, its own included; {@link Integer#MAX_VALUE} for all
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
      int window,
      int worker);

  /** Bytes of scratch memory of its own. */
  default long bytes() {
    return 0;
  }

  /** Blocks that hold {@code length} positions. */
  static int blocksOf(int length) {
    return (length + CpuDevice.BLOCK_SIZE - 1) / CpuDevice.BLOCK_SIZE;
  }

  static int paddedLength(int length) {
    return blocksOf(length) * CpuDevice.BLOCK_SIZE;
  }

  /** The layout of blocks with one head's float32 keys and values each. */
  static KvLayout oneHead(int headSize) {
    return new KvLayout(1, 1, headSize, KvType.F32, CpuDevice.BLOCK_SIZE);
  }
}
