package dev.stator.device.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.stator.device.cuda.AttentionFixture.Heads;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;

/**
 * The program of one row as NUMERICS.md has it, one position after another. Its products of
 * matrices, {@code exp2} and {@code tanh} are the emulation's, not a device's.
 */
final class AttentionProgram {
  private static final int SPLIT = 512;
  private static final int TILE = 64;
  private static final int BLOCK = 16;
  private static final int BLOCKS = TILE / BLOCK;
  private static final int CHAINS = 4;
  private static final float LOG2_E = 1.44269504088896340736f;
  private static final MethodHandle EXP2 = mathFunction("exp2f");
  private static final MethodHandle TANH = mathFunction("tanhf");

  private final Heads heads;
  private final short[] query; // Of the head, [size].
  private final short[] keys; // Of the sequence, [position][key/value heads][size].
  private final short[] values;
  private final int position;
  private final int keyValueHead;

  private float max;
  private float sum;
  private final float[] total;

  private AttentionProgram(AttentionFixture fixture, int sequence, int position, int head) {
    heads = fixture.heads();
    final int from = position * heads.querySize() + head * heads.size();
    query = Arrays.copyOfRange(fixture.queries(sequence), from, from + heads.size());
    keys = fixture.keys(sequence);
    values = fixture.values(sequence);
    this.position = position;
    keyValueHead = head / (heads.count() / heads.keyValueCount());
    total = new float[heads.size()];
  }

  /** A head's result at a position, bf16. */
  static short[] run(AttentionFixture fixture, int sequence, int position, int head) {
    return new AttentionProgram(fixture, sequence, position, head).run();
  }

  private short[] run() {
    max = Float.NEGATIVE_INFINITY;
    for (int split = 0; split <= position / SPLIT; split++) new Split().run(split);
    final float inverse = 1 / sum;
    final short[] out = new short[heads.size()];
    for (int d = 0; d < out.length; d++) {
      out[d] = AttentionFixture.bf16(Math.fma(total[d], inverse, 0f));
    }
    return out;
  }

  /** The positions of one split. */
  private final class Split {
    private float splitMax = Float.NEGATIVE_INFINITY;
    private final float[][] chains = new float[BLOCKS][CHAINS];
    private final float[] acc = new float[heads.size()];

    private void run(int split) {
      for (int tile = 0; tile < SPLIT / TILE; tile++) take(split * SPLIT + tile * TILE);
      float splitSum = 0;
      final float[] ofBlock = new float[BLOCKS];
      for (int b = 0; b < BLOCKS; b++) {
        ofBlock[b] = (chains[b][0] + chains[b][1]) + (chains[b][2] + chains[b][3]);
      }
      splitSum = (ofBlock[0] + ofBlock[1]) + (ofBlock[2] + ofBlock[3]);
      merge(splitMax, splitSum, acc);
    }

    private void take(int first) {
      final float[] scores = new float[TILE];
      float most = splitMax;
      for (int i = 0; i < TILE; i++) {
        scores[i] = isSeen(first + i) ? score(first + i) : Float.NEGATIVE_INFINITY;
        most = Math.max(most, scores[i]);
      }
      final float base = base(most);
      final float rescale = exp2(splitMax - base);
      splitMax = most;
      final float[] weights = new float[TILE];
      for (int i = 0; i < TILE; i++) weights[i] = exp2(scores[i] - base);
      for (int b = 0; b < BLOCKS; b++) {
        for (int c = 0; c < CHAINS; c++) {
          final int i = b * BLOCK + 2 * c;
          final float four = (weights[i] + weights[i + 1]) + (weights[i + 8] + weights[i + 9]);
          chains[b][c] = Math.fma(chains[b][c], rescale, four);
        }
      }
      for (int d = 0; d < acc.length; d++) {
        acc[d] *= rescale;
        for (int b = 0; b < BLOCKS; b++) acc[d] = addValues(weights, first, b * BLOCK, d);
      }
    }

    private float addValues(float[] weights, int first, int from, int d) {
      double products = 0;
      for (int i = from; i < from + BLOCK; i++) {
        if (!isSeen(first + i)) continue;
        final float weight = AttentionFixture.number(new short[] {bf16(weights[i])}, 0);
        products += (double) weight * AttentionFixture.number(values, at(first + i) + d);
      }
      return (float) (acc[d] + products);
    }
  }

  private void merge(float splitMax, float splitSum, float[] acc) {
    final float most = Math.max(max, splitMax);
    final float base = base(most);
    final float earlier = exp2(max - base);
    final float later = exp2(splitMax - base);
    max = most;
    sum = Math.fma(splitSum, later, sum * earlier);
    for (int d = 0; d < total.length; d++) total[d] = Math.fma(acc[d], later, total[d] * earlier);
  }

  private boolean isSeen(int other) {
    return other <= position && other > position - (long) heads.window();
  }

  private float score(int other) {
    float dot = 0;
    for (int k = 0; k < heads.size(); k += 16) {
      double products = 0;
      for (int d = k; d < k + 16; d++) {
        final double q = AttentionFixture.number(query, d);
        products += q * AttentionFixture.number(keys, at(other) + d);
      }
      dot = (float) (dot + products);
    }
    if (heads.cap() == 0) return dot * (heads.scale() * LOG2_E);
    return call(TANH, dot * (heads.scale() / heads.cap())) * (heads.cap() * LOG2_E);
  }

  private int at(int other) {
    return other * heads.keyValueSize() + keyValueHead * heads.size();
  }

  private static float base(float max) {
    return max == Float.NEGATIVE_INFINITY ? 0 : max;
  }

  private static short bf16(float x) {
    return AttentionFixture.bf16(x);
  }

  private static float exp2(float x) {
    final float result = call(EXP2, x);
    return result < Float.MIN_NORMAL ? 0 : result;
  }

  private static float call(MethodHandle function, float x) {
    try {
      return (float) function.invokeExact(x);
    } catch (Throwable t) {
      throw new IllegalStateException(t);
    }
  }

  @SuppressWarnings("restricted")
  private static MethodHandle mathFunction(String name) {
    final Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(
        linker.defaultLookup().findOrThrow(name), FunctionDescriptor.of(JAVA_FLOAT, JAVA_FLOAT));
  }
}
