package dev.stator.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.stator.device.cpu.NativeKernels.InstructionSet;
import dev.stator.kv.KvLayout;
import dev.stator.kv.KvLayout.KvType;
import dev.stator.testing.RandomWeights;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every implementation against the scalar program, bit for bit: random heads, block tables, cuts of
 * a sequence's rows, windows and caps, with NaN wherever nothing was stored.
 */
class AttentionTest {
  private static final int SHAPES = 24;
  private static final int BLOCK = CpuDevice.BLOCK_SIZE;
  private static final int LENGTH_MAX = 150;
  private static final int[] HEAD_SIZES = {1, 7, 16, 24, 40, 64, 80, 96, 128, 200};
  private static final int LAYERS = 2;

  private final Random random = new Random(3);

  /** A sequence in the cache, and what is asked of it. */
  private final class Case {
    final Attention.Heads heads;
    final int keyValueHeads;
    final int length;
    final int window;
    final int layer;
    final int[] blocks;
    final KvCache cache;
    final float[] q;
    final int stride;
    // What was stored, as read: [head][position][dimension].
    final float[][][] keys;
    final float[][][] values;

    Case(KvType type, Arena arena) {
      final int headSize = HEAD_SIZES[random.nextInt(HEAD_SIZES.length)];
      final float cap = random.nextInt(3) == 0 ? 1 + 20 * random.nextFloat() : 0;
      heads = new Attention.Heads(headSize, 1 + random.nextInt(9), random.nextFloat(), cap);
      keyValueHeads = 1 + random.nextInt(3);
      length = 1 + random.nextInt(LENGTH_MAX);
      window = random.nextBoolean() ? Integer.MAX_VALUE : 1 + random.nextInt(LENGTH_MAX);
      layer = random.nextInt(LAYERS);
      final var layout = new KvLayout(LAYERS, keyValueHeads, headSize, type, BLOCK);
      final List<Integer> all = new ArrayList<>();
      for (int b = 0; b < LENGTH_MAX / BLOCK + 5; b++) all.add(b);
      Collections.shuffle(all, random);
      blocks =
          all.subList(0, Attention.blocksOf(length)).stream().mapToInt(Integer::intValue).toArray();
      cache = new KvCache(layout, arena.allocate(all.size() * layout.blockBytes(), 64));
      for (long at = 0; at < cache.pool().byteSize(); at += 4) {
        cache.pool().set(ValueLayout.JAVA_FLOAT, at, Float.NaN);
      }
      keys = new float[keyValueHeads][length][headSize];
      values = new float[keyValueHeads][length][headSize];
      for (int head = 0; head < keyValueHeads; head++) {
        for (int j = 0; j < length; j++) store(head, j);
      }
      stride = keyValueHeads * heads.groupSize() * headSize;
      q = RandomWeights.activations(length * stride, random);
    }

    private void store(int head, int position) {
      final float size = (float) Math.scalb(1.0, random.nextInt(6) - 3);
      final float[] key = scaled(RandomWeights.activations(heads.headSize(), random), size);
      final float[] value = scaled(RandomWeights.activations(heads.headSize(), random), size);
      final int slot = position % BLOCK;
      cache.store(blocks[position / BLOCK], slot, layer, head, key, value, 0);
      keys[head][position] = rounded(cache.layout().type(), key);
      values[head][position] = rounded(cache.layout().type(), value);
    }

    /** In cuts of up to 8 rows, as a step's plan makes them, of one worker or the other. */
    float[] run(Attention attention) {
      final float[] out = new float[q.length];
      for (int row = 0, rows; row < length; row += rows) {
        rows = Math.min(length - row, 1 + random.nextInt(8));
        // Rows of a step begin anywhere in a sequence.
        final float[] step = Arrays.copyOfRange(q, row * stride, (row + rows) * stride);
        final float[] answers = new float[step.length];
        for (int head = 0; head < keyValueHeads; head++) {
          attention.run(
              step, answers, stride, 0, rows, row, blocks, layer, head, window, random.nextInt(2));
        }
        System.arraycopy(answers, 0, out, row * stride, answers.length);
      }
      return out;
    }

    float[] expected() {
      final float[] out = new float[q.length];
      for (int row = 0; row < length; row++) {
        for (int h = 0; h < keyValueHeads * heads.groupSize(); h++) {
          final int head = h / heads.groupSize();
          attend(row, row * stride + h * heads.headSize(), keys[head], values[head], out);
        }
      }
      return out;
    }

    private void attend(int position, int at, float[][] keys, float[][] values, float[] out) {
      final int first = (int) Math.max(0, position - (long) window + 1);
      final float[] weights = new float[position + 1];
      float max = Float.NEGATIVE_INFINITY;
      for (int j = first; j <= position; j++) {
        float score = 0;
        for (int d = 0; d < heads.headSize(); d++) score = Math.fma(q[at + d], keys[j][d], score);
        score *= heads.scale();
        final float cap = heads.scoreCap();
        weights[j] = cap == 0 ? score : cap * FloatMath.tanh(score / cap);
        max = Math.max(max, weights[j]);
      }
      final float[] chains = new float[BLOCK];
      for (int j = first; j <= position; j++) {
        weights[j] = FloatMath.exp(weights[j] - max);
        chains[j % BLOCK] += weights[j];
      }
      final float sum = Norms.tree(chains);
      for (int d = 0; d < heads.headSize(); d++) {
        float acc = 0;
        for (int j = first; j <= position; j++) acc = Math.fma(weights[j], values[j][d], acc);
        out[at + d] = acc / sum;
      }
    }

    @Override
    public String toString() {
      return heads + ", " + length + " positions, window " + window;
    }
  }

  private static float[] scaled(float[] x, float size) {
    for (int i = 0; i < x.length; i++) x[i] *= size;
    return x;
  }

  /** What is read again, by the formulas of {@code NUMERICS.md}. */
  private static float[] rounded(KvType type, float[] x) {
    final float[] y = new float[x.length];
    float max = 0;
    for (float value : x) max = Math.max(max, Math.abs(value));
    for (int i = 0; i < x.length; i++) {
      y[i] =
          switch (type) {
            case F32 -> x[i];
            case BF16 -> nearestBfloat16(x[i]);
            case INT8 -> (float) Math.rint(x[i] * (127 / max)) * (max / 127);
          };
    }
    return y;
  }

  /** In float64, whose spacing is fine enough to be exact. */
  private static float nearestBfloat16(float x) {
    final double unit = Math.scalb(1.0, Math.getExponent(x) - 7);
    return (float) (Math.rint(x / unit) * unit);
  }

  @ParameterizedTest
  @EnumSource(KvType.class)
  void shouldRunTheScalarProgramInJava(KvType type) {
    for (boolean usesVectors : new boolean[] {false, true}) {
      final KernelChoice choice = new KernelChoice();
      choice.useVectors(usesVectors);
      for (int shape = 0; shape < SHAPES / 4; shape++) {
        try (Arena arena = Arena.ofConfined()) {
          final Case one = new Case(type, arena);
          final Scratch[] scratch = {scratch(one), scratch(one)};
          check(one, Attention.inJava(one.heads, one.cache, LENGTH_MAX, choice, arena, scratch));
        }
      }
    }
  }

  private static Scratch scratch(Case one) {
    return new Scratch(1, LENGTH_MAX, one.heads.headSize());
  }

  @ParameterizedTest
  @EnumSource(InstructionSet.class)
  void shouldRunTheScalarProgramNatively(InstructionSet set) throws IOException {
    final Optional<NativeKernels> kernels = NativeKernels.load(set);
    assumeTrue(kernels.isPresent(), "needs " + set + ", in the build and in this processor");
    for (KvType type : KvType.values()) {
      for (int shape = 0; shape < SHAPES; shape++) {
        try (Arena arena = Arena.ofConfined()) {
          final Case one = new Case(type, arena);
          check(
              one,
              new NativeAttention(
                  one.heads, one.cache, LENGTH_MAX, kernels.orElseThrow(), arena, 2));
        }
      }
    }
  }

  private static void check(Case one, Attention attention) {
    final float[] expected = one.expected();
    final float[] actual = one.run(attention);
    for (int i = 0; i < expected.length; i++) {
      assertTrue(Float.isFinite(expected[i]), one.toString());
      assertEquals(
          Float.floatToIntBits(expected[i]), Float.floatToIntBits(actual[i]), one.toString());
    }
  }

  @ParameterizedTest
  @EnumSource(KvType.class)
  void shouldReadWhatWasWrittenIntoOtherBlocks(KvType type) {
    final var layout = new KvLayout(1, 2, 5, type, BLOCK);
    final float[] values = {0f, -0f, 1e-38f, Float.MIN_VALUE, -1e-37f};
    final float[] large = {1e30f, -3e38f, 2.5f, -0.5f, 1f};
    try (Arena arena = Arena.ofConfined()) {
      final var cache = new KvCache(layout, arena.allocate(2 * layout.blockBytes(), 64));
      cache.pool().fill((byte) 0x7F);
      cache.store(1, 3, 0, 1, values, large, 0);
      final byte[] before =
          cache.pool().asSlice(0, layout.blockBytes()).toArray(ValueLayout.JAVA_BYTE);
      for (byte one : before) assertEquals(0x7F, one, "another block is another's");
      final float[][] scalar = decoded(cache, arena, false);
      assertArrayEquals(scalar, decoded(cache, arena, true));
      for (int d = 0; d < 5; d++) {
        final double step = type == KvType.INT8 ? 3e38 / 127 : Math.abs(large[d]) / 128;
        assertEquals(large[d], scalar[1][3 * 5 + d], type == KvType.F32 ? 0 : step / 2 * 1.001);
        assertTrue(Math.abs(scalar[0][d * BLOCK + 3]) <= 1.1e-37f);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(KvType.class)
  void shouldReadNoNumberWhereNoneWasWritten(KvType type) {
    final var layout = new KvLayout(1, 2, 5, type, BLOCK);
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      try (Arena arena = Arena.ofConfined()) {
        final var cache = new KvCache(layout, arena.allocate(2 * layout.blockBytes(), 64));
        final float[] x = {1, 2, bad, 3, 4};
        cache.store(1, 3, 0, 1, x, x, 0);
        final float[][] read = decoded(cache, arena, false);
        assertTrue(!Float.isFinite(read[0][2 * BLOCK + 3]) && !Float.isFinite(read[1][3 * 5 + 2]));
      }
    }
  }

  /** Keys and values of the second head in block 1. */
  private static float[][] decoded(KvCache cache, Arena arena, boolean usesVectors) {
    final int count = cache.layout().headSize() * BLOCK;
    final MemorySegment floats = arena.allocate(8L * count);
    cache.decode(1, 0, 1, floats, 0, usesVectors);
    return new float[][] {
      floats.asSlice(0, 4L * count).toArray(ValueLayout.JAVA_FLOAT),
      floats.asSlice(4L * count).toArray(ValueLayout.JAVA_FLOAT)
    };
  }

  @Test
  void shouldTakeLessMemoryForShorterTypes() {
    final long[] bytes =
        Arrays.stream(KvType.values())
            .mapToLong(type -> new KvLayout(16, 8, 64, type, BLOCK).blockBytes())
            .toArray();
    assertArrayEquals(new long[] {1 << 20, 1 << 19, (1 << 18) + 16 * 8 * 2 * 64}, bytes);
  }
}
