package dev.stator.device.cuda;

import dev.stator.kv.KvLayout;
import dev.stator.kv.KvLayout.KvType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * Attention of one layer over random sequences, by the kernels and in float64. Blocks lie shuffled
 * in a pool with holes; whatever a query must not see is no number.
 */
final class AttentionFixture implements AutoCloseable {
  /**
   * @param cap 0 for none
   * @param window {@link Integer#MAX_VALUE} for all
   */
  record Heads(int count, int keyValueCount, int size, float cap, int window) {
    static Heads plain(int groupSize, int keyValueCount, int size) {
      return new Heads(groupSize * keyValueCount, keyValueCount, size, 0, Integer.MAX_VALUE);
    }

    float scale() {
      return (float) (1.5 / Math.sqrt(size)); // Scores spread, so that maxima move.
    }

    int querySize() {
      return count * size;
    }

    int keyValueSize() {
      return keyValueCount * size;
    }
  }

  /** Neighbouring tokens of a sequence that are computed in one step. */
  record Part(int sequence, int start, int count) {
    static Part last(int sequence, int length) {
      return new Part(sequence, length - 1, 1);
    }
  }

  /** Enough for whatever a test has side by side. */
  static final long PARTIAL_BYTES = 4 << 20;

  private static final int BLOCK = 16;
  private static final int LAYER = 1;
  private static final int LAYERS = 2;
  private static final short NO_NUMBER = (short) 0x7FFF;
  private static final int SPARE_ROWS = 3; // Before and behind the step's.

  private final Driver driver;
  private final Heads heads;
  private final KvLayout layout;
  private final Random random;
  private final short[][] queries; // [sequence][position][heads][size] bf16
  private final short[][] keys;
  private final short[][] values;
  private final int[][] blocks;
  private final int blockCount;
  private int sharedBytesMax = Integer.MAX_VALUE;
  private int split; // 0 for the one that serves.

  AttentionFixture(Driver driver, Heads heads, long seed, int... lengths) {
    this.driver = driver;
    this.heads = heads;
    layout = new KvLayout(LAYERS, heads.keyValueCount, heads.size, KvType.BF16, BLOCK);
    random = new Random(seed);
    queries = new short[lengths.length][];
    keys = new short[lengths.length][];
    values = new short[lengths.length][];
    blocks = new int[lengths.length][];
    int needed = 0;
    for (int s = 0; s < lengths.length; s++) {
      queries[s] = randomBf16(lengths[s] * heads.querySize());
      keys[s] = randomBf16(lengths[s] * heads.keyValueSize());
      values[s] = randomBf16(lengths[s] * heads.keyValueSize());
      needed += blocksOf(lengths[s]);
    }
    blockCount = needed + needed / 4 + 2;
    final List<Integer> free = new ArrayList<>();
    for (int i = 1; i < blockCount; i++) free.add(i);
    Collections.shuffle(free, random);
    int next = 0;
    for (int s = 0; s < lengths.length; s++) {
      blocks[s] = new int[blocksOf(lengths[s])];
      for (int i = 0; i < blocks[s].length; i++) blocks[s][i] = free.get(next++);
    }
  }

  private short[] randomBf16(int count) {
    final short[] bits = new short[count];
    for (int i = 0; i < count; i++) bits[i] = bf16((float) random.nextGaussian());
    return bits;
  }

  /**
   * Makes a sequence whose first three splits cancel out, but for rounding: they have the same keys
   * in orders of their own, and values that add up to zero. What remains shows any other order of
   * float32 sums, which results rounded to bf16 would hide.
   */
  void cancel(int sequence) {
    final int size = heads.keyValueSize();
    final int split = AttentionShape.SPLIT;
    final List<Integer> order = new ArrayList<>();
    for (int i = 1; i < split; i++) order.add(i);
    for (int at = split; at < keys[sequence].length / size; at += split) {
      Collections.shuffle(order, random);
      for (int i = 0; i < Math.min(split, keys[sequence].length / size - at); i++) {
        final int from = i == 0 ? 0 : order.get(i - 1);
        final float factor = at == split ? 1 : at == 2 * split ? -2 : 0;
        for (int d = 0; d < size; d++) {
          final int to = (at + i) * size + d;
          keys[sequence][to] = keys[sequence][from * size + d];
          values[sequence][to] = bf16(factor * number(values[sequence], from * size + d));
        }
      }
    }
    lead(sequence);
  }

  /** Each split begins with the largest score of all: weights of equal keys are equal then. */
  private void lead(int sequence) {
    final int size = heads.keyValueSize();
    for (int at = 0; at < queries[sequence].length; at += heads.size) {
      queries[sequence][at] = bf16(2);
    }
    for (int p = 0; p < keys[sequence].length / size; p++) {
      final boolean leads = p % AttentionShape.SPLIT == 0;
      if (leads) {
        Arrays.fill(keys[sequence], p * size, (p + 1) * size, (short) 0);
        Arrays.fill(values[sequence], p * size, (p + 1) * size, (short) 0);
      }
      for (int d = 0; d < size; d += heads.size) {
        keys[sequence][p * size + d] = bf16(leads ? 40 : 0);
      }
    }
  }

  Heads heads() {
    return heads;
  }

  short[] queries(int sequence) {
    return queries[sequence];
  }

  short[] keys(int sequence) {
    return keys[sequence];
  }

  short[] values(int sequence) {
    return values[sequence];
  }

  private AttentionShape shape(long partialBytesMax) {
    final int sharedBytes = Math.min(sharedBytesMax, driver.sharedBytesMax());
    final var shape =
        new AttentionShape(
            heads.count, heads.keyValueCount, heads.size, sharedBytes, partialBytesMax);
    return split == 0 ? shape : shape.free(split);
  }

  /** From here on by the kernels that take any split. */
  void splitFreely(int length) {
    split = length;
  }

  /** From here on as on a device with so little shared memory. */
  void limitSharedBytes(int bytes) {
    sharedBytesMax = bytes;
  }

  /** Each token's result, bf16 [tokens of all parts][heads][size]. */
  short[] run(Part... parts) {
    return run(PARTIAL_BYTES, null, parts);
  }

  short[] run(long partialBytesMax, AttentionShape.Bucket atLeast, Part... parts) {
    final List<AttentionShape.Slice> slices = new ArrayList<>();
    int row = SPARE_ROWS;
    int table = 1;
    for (Part part : parts) {
      slices.add(new AttentionShape.Slice(row, part.count, part.start, table));
      row += part.count;
      table += blocks[part.sequence].length + 1;
    }
    final AttentionShape.Plan plan = shape(partialBytesMax).plan(slices, atLeast);
    if (plan.partialBytes() > partialBytesMax)
      throw new AssertionError("partial results too large");
    try (Arena arena = Arena.ofConfined();
        Driver.Stream stream = driver.newStream()) {
      final MemorySegment out = bf16s(arena, (row + SPARE_ROWS) * heads.querySize());
      final AttentionKernels.Memory memory =
          new AttentionKernels.Memory(
              upload(stream, stepQueries(arena, row, parts)),
              upload(stream, pool(arena, parts)),
              upload(stream, table(arena, table, parts)),
              upload(stream, ints(arena, plan.lists())),
              upload(stream, out),
              upload(stream, bf16s(arena, (int) (plan.partialBytes() / 2) + 8)),
              (int) layout.blockBytes(),
              heads.scale(),
              heads.cap);
      final var kernels =
          new AttentionKernels(driver, heads.count, heads.keyValueCount, heads.size, arena);
      kernels.run(stream, plan, memory, (int) layout.keyOffset(LAYER, 0), heads.window);
      stream.copyToHost(out, memory.out());
      stream.synchronize();
      free(memory);
      return resultsOf(out.toArray(ValueLayout.JAVA_SHORT), row);
    }
  }

  private void free(AttentionKernels.Memory memory) {
    driver.free(memory.q());
    driver.free(memory.pool());
    driver.free(memory.blockTable());
    driver.free(memory.lists());
    driver.free(memory.out());
    driver.free(memory.partials());
  }

  private short[] resultsOf(short[] out, int rowEnd) {
    final int from = SPARE_ROWS * heads.querySize();
    final int to = rowEnd * heads.querySize();
    for (int i = 0; i < out.length; i++) {
      if ((i < from || i >= to) && out[i] != NO_NUMBER) {
        throw new AssertionError("written outside the step's rows, at " + i);
      }
    }
    return Arrays.copyOfRange(out, from, to);
  }

  private long upload(Driver.Stream stream, MemorySegment from) {
    final long address = driver.allocate(from.byteSize());
    stream.copyToDevice(address, from);
    return address;
  }

  private static MemorySegment bf16s(Arena arena, int count) {
    final MemorySegment segment = arena.allocate(2L * count, 16);
    for (int i = 0; i < count; i++) segment.setAtIndex(ValueLayout.JAVA_SHORT, i, NO_NUMBER);
    return segment;
  }

  private static MemorySegment ints(Arena arena, int[] values) {
    return arena.allocateFrom(ValueLayout.JAVA_INT, values);
  }

  private MemorySegment stepQueries(Arena arena, int rowEnd, Part... parts) {
    final int size = heads.querySize();
    final MemorySegment to = bf16s(arena, rowEnd * size);
    int row = SPARE_ROWS;
    for (Part part : parts) {
      MemorySegment.copy(
          queries[part.sequence],
          part.start * size,
          to,
          ValueLayout.JAVA_SHORT,
          2L * row * size,
          part.count * size);
      row += part.count;
    }
    return to;
  }

  /** Around each sequence's blocks lies the number of one without a number. */
  private MemorySegment table(Arena arena, int length, Part... parts) {
    final int[] table = new int[length];
    int at = 1;
    for (Part part : parts) {
      System.arraycopy(blocks[part.sequence], 0, table, at, blocks[part.sequence].length);
      at += blocks[part.sequence].length + 1;
    }
    return ints(arena, table);
  }

  /** Holds what the parts' tokens see, and nothing else. */
  private MemorySegment pool(Arena arena, Part... parts) {
    final MemorySegment pool = bf16s(arena, (int) (blockCount * layout.blockBytes() / 2));
    for (Part part : parts) {
      for (int p = lowOf(part.start); p < part.start + part.count; p++) {
        for (int head = 0; head < heads.keyValueCount; head++) store(pool, part.sequence, p, head);
      }
    }
    return pool;
  }

  private int lowOf(int position) {
    return (int) Math.max(0, position - (long) heads.window + 1);
  }

  private void store(MemorySegment pool, int sequence, int position, int head) {
    final long block = blocks[sequence][position / BLOCK] * layout.blockBytes();
    final long key = block + layout.keyOffset(LAYER, head) + 2L * (position % BLOCK);
    final long value =
        block + layout.valueOffset(LAYER, head) + 2L * (position % BLOCK) * heads.size;
    final int from = position * heads.keyValueSize() + head * heads.size;
    for (int d = 0; d < heads.size; d++) {
      pool.set(ValueLayout.JAVA_SHORT, key + 2L * BLOCK * d, keys[sequence][from + d]);
      pool.set(ValueLayout.JAVA_SHORT, value + 2L * d, values[sequence][from + d]);
    }
  }

  /** A head's result by the formula in float64. */
  double[] expected(int sequence, int position, int head) {
    final int low = lowOf(position);
    final int keyValueHead = head / (heads.count / heads.keyValueCount);
    final double[] scores = new double[position + 1 - low];
    double max = Double.NEGATIVE_INFINITY;
    for (int j = low; j <= position; j++) {
      double dot = 0;
      for (int d = 0; d < heads.size; d++) {
        dot +=
            (double) number(queries[sequence], position * heads.querySize() + head * heads.size + d)
                * number(keys[sequence], at(j, keyValueHead) + d);
      }
      double score = dot * heads.scale();
      if (heads.cap > 0) score = heads.cap * Math.tanh(score / heads.cap);
      scores[j - low] = score;
      max = Math.max(max, score);
    }
    final double[] result = new double[heads.size];
    double sum = 0;
    for (int j = low; j <= position; j++) {
      final double weight = Math.exp(scores[j - low] - max);
      sum += weight;
      for (int d = 0; d < heads.size; d++) {
        result[d] += weight * number(values[sequence], at(j, keyValueHead) + d);
      }
    }
    for (int d = 0; d < heads.size; d++) result[d] /= sum;
    return result;
  }

  private int at(int position, int keyValueHead) {
    return position * heads.keyValueSize() + keyValueHead * heads.size;
  }

  static float number(short[] bits, int at) {
    return Float.intBitsToFloat(bits[at] << 16);
  }

  /** To nearest, ties to even. */
  static short bf16(float x) {
    final int bits = Float.floatToRawIntBits(x);
    return (short) ((bits + 0x7FFF + (bits >>> 16 & 1)) >>> 16);
  }

  private static int blocksOf(int length) {
    return (length + BLOCK - 1) / BLOCK;
  }

  @Override
  public void close() {
    driver.close();
  }
}
