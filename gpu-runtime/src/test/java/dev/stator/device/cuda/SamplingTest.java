package dev.stator.device.cuda;

import static dev.stator.device.cuda.Values.assertClose;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Comparator;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SamplingTest {
  private static final int PART = 4096;

  private final Random random = new Random(23);
  private final DeviceArrays device = new DeviceArrays(CudaTests.open());

  @AfterEach
  void release() {
    device.close();
  }

  /** Logits with many equal ones, zeros of both signs, infinities and some that are no numbers. */
  private float[] logits(int count) {
    final float[] logits = Values.gaussian(random, count);
    for (int i = 0; i < count; i++) {
      if (random.nextInt(3) == 0) logits[i] = random.nextInt(-2, 3);
      if (random.nextInt(50) == 0) logits[i] = -0f;
      if (random.nextInt(50) == 0) logits[i] = Float.NEGATIVE_INFINITY;
      if (random.nextInt(50) == 0) logits[i] = Float.NaN;
    }
    return logits;
  }

  private static float[] ordered(float[] logits) {
    final float[] ordered = new float[logits.length];
    for (int i = 0; i < logits.length; i++) {
      ordered[i] = Float.isNaN(logits[i]) ? Float.NEGATIVE_INFINITY : logits[i] + 0f;
    }
    return ordered;
  }

  private static int[] best(float[] row) {
    return IntStream.range(0, row.length)
        .boxed()
        .sorted(Comparator.<Integer>comparingDouble(i -> -row[i]).thenComparing(i -> i))
        .mapToInt(i -> i)
        .toArray();
  }

  private static int[] expected(float[] logits, int rows) {
    final int size = logits.length / rows;
    final int[] expected = new int[rows];
    for (int row = 0; row < rows; row++) {
      final float[] own = Arrays.copyOfRange(logits, row * size, (row + 1) * size);
      final int best = best(ordered(own))[0];
      final boolean isNumber = IntStream.range(0, size).noneMatch(i -> Float.isNaN(own[i]));
      expected[row] = isNumber && Float.isFinite(own[best]) ? best : -1;
    }
    return expected;
  }

  private int[] argmax(float[] logits, int rows) {
    final long from = device.floats(logits);
    final long ids = device.room(4L * rows);
    device.launch(
        "argmax",
        rows,
        1,
        1024,
        0,
        params -> params.address(from).address(ids).int32(logits.length / rows));
    return device.readInts(ids, rows);
  }

  private record Top(float[] values, int[] ids, float[] sums) {}

  private Top top(float[] logits, int rows, int k) {
    final int size = logits.length / rows;
    final int parts = Math.ceilDiv(size, PART);
    final long from = device.floats(logits);
    final long partValues = device.room(4L * rows * parts * k);
    final long partIds = device.room(4L * rows * parts * k);
    final long partSums = device.room(8L * rows * parts);
    final long values = device.room(4L * rows * k);
    final long ids = device.room(4L * rows * k);
    final long sums = device.room(8L * rows);
    device.launch(
        "top_k",
        parts,
        rows,
        256,
        0,
        params ->
            params
                .address(from)
                .address(partValues)
                .address(partIds)
                .address(partSums)
                .int32(size)
                .int32(k));
    device.launch(
        "top_k_merge",
        rows,
        1,
        256,
        0,
        params ->
            params
                .address(partValues)
                .address(partIds)
                .address(partSums)
                .address(values)
                .address(ids)
                .address(sums)
                .int32(parts)
                .int32(k));
    return new Top(
        device.readFloats(values, rows * k),
        device.readInts(ids, rows * k),
        device.readFloats(sums, 2 * rows));
  }

  @ParameterizedTest
  @CsvSource({
    "1, 3, 1",
    "2, 100, 64",
    "1, 4096, 5",
    "2, 4097, 64",
    "3, 9001, 20",
    "1, 20000, 1",
    "2, 63, 64"
  })
  void shouldFindTheBestAndTheSum(int rows, int size, int k) {
    final float[] logits = logits(rows * size);
    final Top top = top(logits, rows, k);
    for (int row = 0; row < rows; row++) {
      final float[] own = ordered(Arrays.copyOfRange(logits, row * size, (row + 1) * size));
      final int[] best = best(own);
      for (int i = 0; i < k; i++) {
        final int at = row * k + i;
        assertEquals(i < size ? best[i] : -1, top.ids[at], "id " + i);
        final float value = i < size ? own[best[i]] : Float.NEGATIVE_INFINITY;
        assertEquals(value, top.values[at], "value " + i);
      }
      double sum = 0;
      for (float logit : own) sum += Math.exp((double) logit - own[best[0]]);
      assertEquals(own[best[0]], top.sums[2 * row]);
      assertClose(sum, top.sums[2 * row + 1], 1e-6 * sum, "sum of row " + row);
    }
  }

  @Test
  void shouldTakeTheLowestIdsWhenAllAreEqual() {
    final float[] logits = new float[10_000];
    Arrays.fill(logits, -1.5f);
    final Top top = top(logits, 1, 64);
    assertArrayEquals(IntStream.range(0, 64).toArray(), top.ids);
    assertClose(10_000, top.sums[1], 0.01, "sum");
  }

  @Test
  void shouldHaveNoSumWhenNothingIsPossible() {
    final float[] logits = new float[5000];
    Arrays.fill(logits, Float.NEGATIVE_INFINITY);
    final Top top = top(logits, 1, 2);
    assertArrayEquals(new int[] {0, 1}, top.ids);
    assertArrayEquals(new float[] {Float.NEGATIVE_INFINITY, 0}, top.sums);
  }

  @Test
  void shouldGiveARowTheSameBitsAloneAndInABatch() {
    final int size = 9000;
    final float[] logits = logits(3 * size);
    final Top batch = top(logits, 3, 10);
    for (int row = 0; row < 3; row++) {
      final Top alone = top(Arrays.copyOfRange(logits, row * size, (row + 1) * size), 1, 10);
      assertArrayEquals(Arrays.copyOfRange(batch.sums, 2 * row, 2 * row + 2), alone.sums);
      assertArrayEquals(Arrays.copyOfRange(batch.values, 10 * row, 10 * row + 10), alone.values);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 5, 4096, 10_003})
  void shouldFindTheLargest(int size) {
    final int rows = 3;
    final float[] logits = logits(rows * size);
    for (int i = size; i < rows * size; i++) if (Float.isNaN(logits[i])) logits[i] = 0;
    assertArrayEquals(expected(logits, rows), argmax(logits, rows));
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void shouldFindNoLargestWhenItIsNoFiniteNumber(float value) {
    final float[] logits = new float[2 * 5000];
    Arrays.fill(logits, 0, 5000, Float.NEGATIVE_INFINITY);
    logits[4321] = value;
    logits[5000 + 17] = 1;
    assertArrayEquals(new int[] {-1, 17}, argmax(logits, 2));
  }
}
