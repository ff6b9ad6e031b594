package dev.stator.device.cuda;

import static dev.stator.device.cuda.Values.assertBf16;
import static dev.stator.device.cuda.Values.assertClose;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ElementwiseTest {
  private static final int THREADS = 256;

  private final Random random = new Random(11);
  private final DeviceArrays device = new DeviceArrays(CudaTests.open());

  @AfterEach
  void release() {
    device.close();
  }

  /** One block for counts that need several: the grid may be any. */
  private void add(long to, long from, int count) {
    device.launch(
        "add_f32", 1, 1, THREADS, 0, params -> params.address(to).address(from).int32(count));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 4, 1023, 1024, 2500})
  void shouldAdd(int count) {
    final float[] a = Values.gaussian(random, count);
    final float[] b = Values.gaussian(random, count);
    final long to = device.floats(a);
    add(to, device.floats(b), count);
    final float[] read = device.readFloats(to, count);
    for (int i = 0; i < count; i++) assertEquals(a[i] + b[i], read[i], "value " + i);
  }

  @Test
  void shouldAddWhereNothingIsAligned() {
    final float[] a = Values.gaussian(random, 101);
    final float[] b = Values.gaussian(random, 101);
    final long to = device.floats(a);
    add(to + 4, device.floats(b) + 8, 99);
    final float[] read = device.readFloats(to, 101);
    for (int i = 0; i < 99; i++) assertEquals(a[i + 1] + b[i + 2], read[i + 1], "value " + i);
    assertEquals(a[0], read[0]);
    assertEquals(a[100], read[100]);
  }

  /** To the bit, with gaps between parts and without, aligned and not. */
  @ParameterizedTest
  @CsvSource({"2, 1, 1", "2, 1024, 1024", "4, 1023, 1023", "3, 101, 128"})
  void shouldSumPartsInTheirOrder(int parts, int count, int stride) {
    final float[] x = Values.gaussian(random, count);
    final float[] from = Values.gaussian(random, parts * stride);
    final float[] sums = new float[count];
    for (int i = 0; i < count; i++) {
      sums[i] = from[i];
      for (int part = 1; part < parts; part++) sums[i] += from[part * stride + i];
    }
    for (int adds = 0; adds < 2; adds++) {
      final long to = device.floats(x);
      final long at = device.floats(from);
      final int isAdded = adds;
      device.launch(
          "sum_parts",
          1,
          1,
          THREADS,
          0,
          params ->
              params
                  .address(to)
                  .address(at)
                  .int32(count)
                  .int32(parts)
                  .int32(stride)
                  .int32(isAdded));
      final float[] read = device.readFloats(to, count);
      for (int i = 0; i < count; i++) assertEquals(adds * x[i] + sums[i], read[i], "value " + i);
    }
  }

  @ParameterizedTest
  @ValueSource(floats = {30, 0.5f})
  void shouldCapSoftly(float cap) {
    final float[] x = Values.gaussian(random, 5000);
    for (int i = 0; i < x.length; i++) x[i] *= 20;
    final long values = device.floats(x);
    device.launch(
        "softcap", 3, 1, THREADS, 0, params -> params.address(values).int32(x.length).float32(cap));
    final float[] read = device.readFloats(values, x.length);
    for (int i = 0; i < x.length; i++) {
      final double y = cap * Math.tanh((double) x[i] / cap);
      assertClose(y, read[i], 4e-7 * Math.abs(y), "value " + i);
    }
  }

  private short[] gated(String kernel, float[] gateUp, int rows, int size, int blocks) {
    final long from = device.floats(gateUp);
    final long to = device.room(2L * rows * size);
    device.launch(
        kernel,
        blocks,
        1,
        THREADS,
        0,
        params ->
            params
                .address(from)
                .address(from + 4L * size)
                .address(to)
                .int32(rows)
                .int32(size)
                .int32(2 * size));
    return device.readHalves(to, rows * size);
  }

  @ParameterizedTest
  @CsvSource({
    "gated_silu, 1, 64",
    "gated_silu, 3, 37",
    "gated_gelu, 2, 128",
    "gated_gelu, 5, 30",
    "gated_gelu, 16, 400"
  })
  void shouldMultiplyByTheActivatedGate(String kernel, int rows, int size) {
    final DoubleUnaryOperator activation =
        kernel.equals("gated_silu")
            ? x -> x / (1 + Math.exp(-x))
            : x -> 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
    final float[] gateUp = Values.gaussian(random, rows * 2 * size);
    for (int i = 0; i < gateUp.length; i += 3) gateUp[i] *= 40;
    final short[] read = gated(kernel, gateUp, rows, size, 1);
    int otherRoundings = 0; // An error of float32 moves one in thousands.
    for (int i = 0; i < read.length; i++) {
      final int at = i / size * 2 * size + i % size;
      final double y = activation.applyAsDouble(gateUp[at]) * gateUp[at + size];
      assertBf16(y, read[i], 1e-6 * Math.abs(gateUp[at + size]), "value " + i);
      if (Math.abs(y) > 1e-6 && RepackedMatrix.bf16Bits((float) y)[0] != read[i]) otherRoundings++;
    }
    assertTrue(otherRoundings <= 1 + read.length / 2000, otherRoundings + " are not the nearest");
  }

  @ParameterizedTest
  @ValueSource(strings = {"gated_silu", "gated_gelu"})
  void shouldGiveARowTheSameBitsAloneAndInABatch(String kernel) {
    final int rows = 4;
    final int size = 200;
    final float[] gateUp = Values.gaussian(random, rows * 2 * size);
    final short[] batch = gated(kernel, gateUp, rows, size, 3);
    for (int row = 0; row < rows; row++) {
      final float[] alone = Arrays.copyOfRange(gateUp, row * 2 * size, (row + 1) * 2 * size);
      assertArrayEquals(
          Arrays.copyOfRange(batch, row * size, (row + 1) * size),
          gated(kernel, alone, 1, size, 1));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 64, 1030})
  void shouldGatherRows(int size) {
    final int[] wanted = {6, 0, 6, 3};
    final float[] x = Values.gaussian(random, 7 * size);
    final long from = device.floats(x);
    final long list = device.ints(wanted);
    final long to = device.room(4L * wanted.length * size);
    device.launch(
        "gather_rows",
        wanted.length,
        1,
        THREADS,
        0,
        params -> params.address(from).address(list).address(to).int32(size));
    final float[] read = device.readFloats(to, wanted.length * size);
    for (int i = 0; i < read.length; i++) {
      assertEquals(x[wanted[i / size] * size + i % size], read[i], "value " + i);
    }
  }
}
