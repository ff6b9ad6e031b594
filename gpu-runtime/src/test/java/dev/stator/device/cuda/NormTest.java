package dev.stator.device.cuda;

import static dev.stator.device.cuda.Values.assertBf16;
import static dev.stator.device.cuda.Values.assertClose;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NormTest {
  private static final float EPSILON = 1e-5f;
  private static final int THREADS = 256;

  private final DeviceArrays device = new DeviceArrays(CudaTests.open());

  @AfterEach
  void release() {
    device.close();
  }

  private void norm(String kernel, long x, long weight, long to, int rows, int size, int stride) {
    device.launch(
        kernel,
        rows,
        1,
        THREADS,
        0,
        params ->
            params
                .address(x)
                .address(weight)
                .address(to)
                .int32(size)
                .int32(stride)
                .float32(EPSILON));
  }

  private static double expected(float[] x, int from, float[] weight, int i) {
    double sum = 0;
    for (int j = 0; j < weight.length; j++) sum += (double) x[from + j] * x[from + j];
    return x[from + i] / Math.sqrt(sum / weight.length + EPSILON) * weight[i];
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1",
    "1, 4, 4",
    "2, 5, 7",
    "3, 64, 64",
    "2, 1024, 1024",
    "3, 1027, 1028",
    "2, 4096, 4100"
  })
  void shouldNormaliseRows(int rows, int size, int stride) {
    final Random random = new Random(31L * rows + size);
    final float[] x = Values.gaussian(random, rows * stride);
    final float[] weight = Values.gaussian(random, size);
    final long from = device.floats(x);
    final long weights = device.floats(weight);
    final long halves = device.room(2L * rows * size);
    final long floats = device.room(4L * rows * size);
    norm("rms_norm", from, weights, halves, rows, size, stride);
    norm("rms_norm_f32", from, weights, floats, rows, size, stride);
    final short[] readHalves = device.readHalves(halves, rows * size);
    final float[] readFloats = device.readFloats(floats, rows * size);
    for (int i = 0; i < rows * size; i++) {
      final double y = expected(x, i / size * stride, weight, i % size);
      assertClose(y, readFloats[i], 1e-6 * Math.abs(y), "float " + i);
      assertBf16(y, readHalves[i], 0, "half " + i);
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 4, 512", "2, 1027, 512", "3, 4096, 512", "1, 5, 1024", "2, 4099, 1024"})
  void shouldNormaliseRowsWithMoreThreads(int rows, int size, int threads) {
    final Random random = new Random(7L * rows + size);
    final float[] x = Values.gaussian(random, rows * size);
    final float[] weight = Values.gaussian(random, size);
    final long to = device.room(2L * rows * size);
    final var kernels = new Kernels(device.driver(), device.driver().newStream());
    final long weights = device.floats(weight);
    kernels.norm(threads, device.floats(x), weights, to, size, EPSILON, rows);
    kernels.stream().synchronize();
    final short[] read = device.readHalves(to, rows * size);
    for (int i = 0; i < rows * size; i++) {
      assertBf16(expected(x, i / size * size, weight, i % size), read[i], 0, "half " + i);
    }
  }

  /** The sum of squares as {@code NUMERICS.md} has it. */
  private static float sumOfSquares(float[] x) {
    float total = 0;
    for (int warp = 0; warp < THREADS / 32; warp++) {
      float[] sums = new float[32];
      for (int lane = 0; lane < 32; lane++) {
        for (int quad = 32 * warp + lane; 4 * quad < x.length; quad += THREADS) {
          for (int i = 4 * quad; i < Math.min(4 * quad + 4, x.length); i++) {
            sums[lane] = Math.fma(x[i], x[i], sums[lane]);
          }
        }
      }
      for (int apart = 16; apart > 0; apart /= 2) {
        final float[] added = new float[32];
        for (int lane = 0; lane < 32; lane++) added[lane] = sums[lane] + sums[lane ^ apart];
        sums = added;
      }
      total = warp == 0 ? sums[0] : total + sums[0];
    }
    return total;
  }

  @ParameterizedTest
  @ValueSource(ints = {6, 1030, 2048})
  void shouldFollowItsProgramToTheBit(int size) {
    final Random random = new Random(size);
    final float[] x = Values.gaussian(random, size);
    final float[] weight = Values.gaussian(random, size);
    final long to = device.room(4L * size);
    norm("rms_norm_f32", device.floats(x), device.floats(weight), to, 1, size, size);
    final float scale = 1 / (float) Math.sqrt(sumOfSquares(x) / size + EPSILON);
    final float[] expected = new float[size];
    for (int i = 0; i < size; i++) expected[i] = x[i] * scale * weight[i];
    assertArrayEquals(expected, device.readFloats(to, size));
  }

  @Test
  void shouldNormaliseInPlace() {
    final Random random = new Random(3);
    final float[] x = Values.gaussian(random, 2 * 300);
    final float[] weight = Values.gaussian(random, 300);
    final long from = device.floats(x);
    norm("rms_norm_f32", from, device.floats(weight), from, 2, 300, 300);
    final float[] read = device.readFloats(from, 600);
    for (int i = 0; i < 600; i++) {
      final double y = expected(x, i / 300 * 300, weight, i % 300);
      assertClose(y, read[i], 1e-6 * Math.abs(y), "value " + i);
    }
  }

  @ParameterizedTest
  @CsvSource({"768", "770", "1023"})
  void shouldGiveARowTheSameBitsAloneAndInABatch(int size) {
    final int rows = 5;
    final Random random = new Random(size);
    final float[] x = Values.gaussian(random, rows * size);
    final long weight = device.floats(Values.gaussian(random, size));
    final long to = device.room(4L * rows * size);
    norm("rms_norm_f32", device.floats(x), weight, to, rows, size, size);
    final float[] batch = device.readFloats(to, rows * size);
    for (int row = 0; row < rows; row++) {
      final float[] alone = Arrays.copyOfRange(x, row * size, (row + 1) * size);
      norm("rms_norm_f32", device.floats(alone), weight, to, 1, size, size);
      assertArrayEquals(
          Arrays.copyOfRange(batch, row * size, (row + 1) * size), device.readFloats(to, size));
    }
  }
}
